import type { Kafka } from '../kafka/port.ts'
import type { PlanHead } from '../format/plan.ts'
import type { Clock } from '../runtime/clock.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { resized } from './plan-reader.ts'

const EVERY_MS = 5_000

/**
 * Looks whether the plan topic still has the partitions that it was planned with: chains are spread by their number, and a planner
 * may be about to go on. Resolves with the error when it has more; throws nothing, because a cluster that does not answer says
 * nothing, and one broker of many may know of fewer for a moment.
 */
export async function watchPlanTopic(
  { admin }: Pick<Kafka, 'admin'>,
  planTopic: string,
  head: PlanHead,
  clock: Clock,
  signal: AbortSignal,
): Promise<unknown> {
  for (;;) {
    await clock.sleep(EVERY_MS, signal)
    if (signal.aborted) return undefined
    const partitions = await partitionsOf({ admin }, planTopic)
    if (partitions > head.planPartitions) return resized(planTopic, partitions, head)
  }
}

async function partitionsOf({ admin }: Pick<Kafka, 'admin'>, planTopic: string): Promise<number> {
  try {
    return (await admin.topics([planTopic]))[0]?.partitions ?? 0
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    return 0
  }
}
