import type { PlanTarget } from '../format/plan.ts'
import { acceptFewerReplicas, createTarget } from './create-target.ts'
import type { PlannerDeps } from './deps.ts'
import { describeTarget } from './describe-target.ts'
import { judgeTarget } from './judge-target.ts'
import type { PlannerOptions } from './options.ts'
import { untilLed } from './plan-topic.ts'
import { errorOf } from './refusal.ts'
import { seeTarget } from './see-targets.ts'
import { doubtsAboutNew } from './target-limits.ts'
import type { WantedTarget } from './wanted-target.ts'

/**
 * Creates a target if it is missing, and says what the head records of it. Judges it once more: somebody else may have created
 * it, or written to it, since the pre-flight. Throws TARGET_NOT_EMPTY and the like.
 */
export async function prepareTarget(
  deps: PlannerDeps,
  target: WantedTarget,
  isMissing: boolean,
  options: PlannerOptions,
  warnings: string[],
): Promise<PlanTarget> {
  const { kafka, clock, log } = deps
  const { topic, partitions } = target
  const warn = (text: string) => {
    warnings.push(text)
    log.warn({ topic }, text)
  }
  if (isMissing) doubtsAboutNew(target).forEach(warn)
  const created = isMissing ? await createTarget(kafka, target) : undefined
  if (isMissing) {
    await untilLed(kafka, clock, topic) // what a new topic is like is not known everywhere at once
    log.info({ topic, partitions }, 'created the target topic')
  }
  const seen = await seeTarget(kafka, topic)
  const fewer = await acceptFewerReplicas(kafka, target, seen, created)
  if (fewer !== undefined) warn(fewer)
  const { refusals, notes } = judgeTarget(target, seen, undefined, options, clock.now())
  const error = errorOf(refusals)
  if (error !== undefined) throw error
  notes.forEach(warn)
  return describeTarget(target, seen, isMissing, options)
}
