import type { PlanTarget } from '../format/plan.ts'
import type { TopicDescription } from '../kafka/port.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlannerOptions } from './options.ts'
import { untilLed } from './plan-topic.ts'
import { acceptFewerReplicas, createTarget, describeTarget, describeTopic, requireSameSize } from './targets.ts'
import { doubtsAbout, doubtsAboutNew, refuseTimes } from './target-limits.ts'
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
  if (isMissing) doubtsAboutNew(target).forEach(warn)
  const created = isMissing ? await createTarget(kafka, target) : undefined
  if (isMissing) {
    await untilLed(kafka, clock, target.topic) // what a new topic is like is not known everywhere at once
    log.info({ topic: target.topic, partitions: target.partitions }, 'created the target topic')
  }
  const described = await describeTopic(kafka, target.topic)
  if (options.partitionMap === 'same') requireSameSize(target, described.description)
  const fewer = await acceptFewerReplicas(kafka, target, described, created)
  if (fewer !== undefined) warn(fewer)
  refuseTimes(target, described.configs, options, clock.now())
  for (const doubt of doubtsAbout(target, described.configs, options, clock.now())) warn(doubt)
  return describeTarget(kafka, target, described, isMissing, options)
}

/** What `prepareTarget` would refuse, without changing anything; what it would tell goes to `warnings`. */
export async function describeExisting(
  { kafka, clock }: PlannerDeps,
  target: WantedTarget,
  existing: ReadonlyMap<string, TopicDescription>,
  options: PlannerOptions,
  warnings: string[],
): Promise<void> {
  const description = existing.get(target.topic)
  if (description === undefined) {
    warnings.push(...doubtsAboutNew(target))
    return
  }
  const configs = (await kafka.admin.topicConfigs([target.topic])).get(target.topic) ?? []
  refuseTimes(target, configs, options, clock.now())
  warnings.push(...doubtsAbout(target, configs, options, clock.now()))
  await describeTarget(kafka, target, { description, configs }, false, options)
}
