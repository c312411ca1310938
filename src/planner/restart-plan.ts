import { PRODUCER_EXPIRATION, releaseChanges } from '../format/hold.ts'
import type { PlanTarget } from '../format/plan.ts'
import type { CommittedOffset } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlannerOptions } from './options.ts'
import { planTopicPartitions } from './plan-topic.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import { describeTopic } from './targets.ts'

const WAIT_MS = 200
const WAIT_DEADLINE_MS = 30_000

type RestartOptions = Pick<PlannerOptions, 'planTopic' | 'append'>

/**
 * The plan that is to be forgotten; undefined when there is none. Throws PLAN_FOREIGN for a topic that is no plan: it is not
 * ours to delete.
 */
export async function oldPlan(
  { kafka }: PlannerDeps,
  { planTopic, append }: RestartOptions,
  signal: AbortSignal,
): Promise<PlanState | undefined> {
  if (append)
    throw new MaxbrodError('USAGE', '--restart-plan needs empty targets, and --append full ones', {
      hint: 'to restore behind what is there, plan into a new --plan-topic',
    })
  const partitions = await planTopicPartitions(kafka, planTopic)
  if (partitions === undefined) return undefined
  return readPlanState(kafka, planTopic, partitions, signal)
}

/**
 * Forgets a plan: what it holds gets its own configs back, and the plan topic goes. First it is made sure that nothing can be
 * lost by that: no executor is at work, and no target of the plan holds a record. kill -9 at any moment leaves the plan, which can be forgotten
 * again, or no plan.
 */
export async function forgetPlan(deps: PlannerDeps, options: PlannerOptions, old: PlanState): Promise<void> {
  const { kafka, clock, log } = deps
  const { planTopic, dryRun } = options
  const held = old.heads.filter(({ hold }) => hold === 'auto').flatMap(({ targets }) => targets)
  const releases = new Map<string, ReadonlyMap<string, string | null>>()
  for (const target of held) {
    const changes = await releaseOf(deps, target)
    if (changes.size > 0) releases.set(target.topic, changes)
  }
  if (dryRun) return
  await requireNobodyAtWork(deps, planTopic, old)
  for (const [topic, changes] of releases) await kafka.admin.alterTopicConfigs(topic, changes)
  await releaseBrokers(deps, old)
  await kafka.admin.deleteTopic(planTopic)
  const startedAt = clock.monotonic()
  while ((await kafka.admin.topics([planTopic])).length > 0) {
    if (clock.monotonic() - startedAt > WAIT_DEADLINE_MS)
      throw new MaxbrodError('KAFKA_GAVE_UP', `${planTopic} was deleted and is still there`, {
        hint: 'see whether the cluster deletes topics (delete.topic.enable), or use another --plan-topic',
      })
    await clock.sleep(WAIT_MS)
  }
  log.info({ planTopic, restoreId: old.heads[0]?.restoreId }, 'the plan is forgotten')
}

/** What gives an empty target its own configs back. Throws TARGET_NOT_EMPTY for one with records that only the hold keeps. */
async function releaseOf(
  { kafka }: PlannerDeps,
  { topic, topicId, finalConfigs }: PlanTarget,
): Promise<ReadonlyMap<string, string | null>> {
  const [found] = await kafka.admin.topics([topic])
  if (found === undefined || found.topicId !== topicId) return new Map()
  const { description, configs } = await describeTopic(kafka, topic)
  const changes = releaseChanges(configs, finalConfigs)
  if (changes.size === 0) return changes
  const partitions = Array.from({ length: description.partitions }, (_, partition) => ({ topic, partition }))
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  const full = partitions.find(
    one => ends.offsets.get(one) === undefined || starts.offsets.get(one) !== ends.offsets.get(one),
  )
  if (full === undefined) return changes
  throw new MaxbrodError(
    'TARGET_NOT_EMPTY',
    `${partitionName(full)} holds records of the plan that would be forgotten`,
    {
      ...full,
      hint: 'empty or delete the topic first, or plan into a new --plan-topic',
    },
  )
}

/** Throws GROUP_ACTIVE while executors are members of the plan's group. What it had committed is of no use any more. */
async function requireNobodyAtWork({ kafka }: PlannerDeps, planTopic: string, old: PlanState): Promise<void> {
  const nothing: CommittedOffset = { offset: 0, metadata: '' }
  const offsets = old.partitions.map(({ partition }) => [{ topic: planTopic, partition }, nothing] as const)
  await kafka.admin.commitFromOutside(`maxbrod.restore.${planTopic}`, new PartitionMap(offsets))
}

async function releaseBrokers({ kafka }: PlannerDeps, { heads }: PlanState): Promise<void> {
  const { name, value } = PRODUCER_EXPIRATION
  const defaults = heads[0]?.brokerDefaults ?? {}
  const isRaised = (await kafka.admin.brokerConfigs()).some(entry => entry.name === name && entry.value === value)
  if (isRaised && Object.hasOwn(defaults, name))
    await kafka.admin.alterBrokerDefaults(new Map([[name, defaults[name] ?? null]]))
}
