import type { ClusterAdmin, TopicDescription } from '../kafka/port/admin.ts'
import { judgeContacts, judgeEncryption } from './brokers.ts'
import type { CheckDeps } from './deps.ts'
import type { Finding } from './finding.ts'
import { ok } from './finding.ts'
import type { CheckOptions } from './options.ts'
import { judgePlanTopic } from './plan-topic.ts'
import { NEEDS } from './purpose.ts'
import { judgeRights } from './rights.ts'
import { judgeTopics, matchedTopics } from './topics.ts'

export interface SeenKafka {
  readonly clusterId: string
  /** Of the topics that match. */
  readonly partitions: number
  readonly findings: readonly Finding[]
}

/** Throws what the cluster answers to its first question. */
export async function lookAtKafka(options: CheckOptions, { kafka, clock, usualGroup }: CheckDeps): Promise<SeenKafka> {
  const { admin } = kafka
  const needs = NEEDS[options.for]
  const clusterId = await admin.clusterId()
  const [contacts, all] = await Promise.all([admin.contacts(), admin.topics()])
  const matched = matchedTopics(all, options)
  const usesPlan = needs.planTopic.length > 0
  const planTopic = usesPlan ? all.find(({ name }) => name === options.planTopic) : undefined
  const asked = {
    topics: matched.filter(({ error }) => error === undefined).map(({ name }) => name),
    group: needs.group.length === 0 ? undefined : (options.groupId ?? usualGroup(options)),
    planTopic: planTopic?.name,
  }
  const names = new Set([...asked.topics, ...(planTopic === undefined ? [] : [planTopic.name])])
  const [rights, plan] = await Promise.all([
    admin.rights([...names], asked.group),
    usesPlan ? planTopicFinding(admin, options, planTopic) : undefined,
  ])
  return {
    clusterId,
    partitions: matched.reduce((sum, topic) => sum + topic.partitions, 0),
    findings: [
      ok('brokers', `cluster ${clusterId} answers`),
      ...judgeContacts(contacts),
      ...judgeEncryption(contacts, clock.now()),
      ...judgeTopics(all, matched, options.for),
      ...judgeRights(needs, asked, rights),
      ...(plan === undefined ? [] : [plan]),
    ],
  }
}

async function planTopicFinding(
  admin: ClusterAdmin,
  options: CheckOptions,
  topic: TopicDescription | undefined,
): Promise<Finding> {
  const configs = topic === undefined ? undefined : await admin.topicConfigs([topic.name])
  return judgePlanTopic(options.planTopic, options.for, topic, configs?.get(options.planTopic) ?? [])
}
