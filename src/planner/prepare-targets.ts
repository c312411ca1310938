import type { PlanTarget } from '../format/plan.ts'
import type { TopicDescription } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlannerOptions } from './options.ts'
import { untilLed } from './plan-topic.ts'
import { acceptFewerReplicas, createTarget, describeTarget, doubtAboutLimits, requireSameSize } from './targets.ts'
import type { WantedTarget } from './targets.ts'

/** Creates a target if it is missing, and says what the head records of it. */
export async function prepareTarget(
  deps: PlannerDeps,
  target: WantedTarget,
  existing: ReadonlyMap<string, TopicDescription>,
  options: PlannerOptions,
  warnings: string[],
): Promise<PlanTarget> {
  const { kafka, clock, log } = deps
  const isMissing = !existing.has(target.topic)
  const warn = (text: string) => {
    warnings.push(text)
    log.warn({ topic: target.topic }, text)
  }
  const created = isMissing ? await createTarget(kafka, target) : undefined
  if (isMissing) {
    await untilLed(kafka, clock, target.topic) // what a new topic is like is not known everywhere at once
    log.info({ topic: target.topic, partitions: target.partitions }, 'created the target topic')
  }
  const description = must((await kafka.admin.topics([target.topic]))[0], `topic ${target.topic}`)
  if (created === 'fewer replicas') warn(await acceptFewerReplicas(kafka, target, description))
  requireSameSize(target, description)
  const configs = (await kafka.admin.topicConfigs([target.topic])).get(target.topic) ?? []
  const doubt = doubtAboutLimits(target, configs)
  if (doubt !== undefined) warn(doubt)
  return describeTarget(kafka, target, description, configs, isMissing, options)
}

/** What `prepareTarget` would refuse, without changing anything. */
export async function describeExisting(
  { kafka }: PlannerDeps,
  target: WantedTarget,
  existing: ReadonlyMap<string, TopicDescription>,
  options: PlannerOptions,
): Promise<void> {
  const description = existing.get(target.topic)
  if (description === undefined) return
  const configs = (await kafka.admin.topicConfigs([target.topic])).get(target.topic) ?? []
  await describeTarget(kafka, target, description, configs, false, options)
}
