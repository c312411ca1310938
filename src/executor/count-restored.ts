import { MaxbrodError } from '../runtime/errors.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { planNow } from './completion.ts'
import type { CompletePlan } from './completion.ts'
import type { ExecutorDeps } from './deps.ts'
import { checkLogStart } from './target-errors.ts'
import type { Targets } from './targets.ts'

/** What of a plan is in the targets. */
export interface PlanCount {
  readonly topic: string
  readonly partition: number
  /** Records of the newest complete plan, and of the one that was asked about. */
  readonly planned: number
  readonly due: number
  readonly restored: number
  /** Records of this restore in the target: more than `restored` while the plan grows. */
  readonly held: number
}

/**
 * Counts what of the newest complete plan is in the targets. A plan that is growing is counted as it was in `known`. Throws
 * TARGET_SPOILED for a target that holds more than planned, TARGET_LOSING for one that lost its beginning.
 */
export async function countRestored(
  { kafka }: Pick<ExecutorDeps, 'kafka'>,
  planTopic: string,
  known: CompletePlan,
  targets: Targets,
  signal: AbortSignal,
): Promise<PlanCount[]> {
  const partitions = [...known.records.keys()]
  await targets.meet(new Set(partitions.map(({ topic }) => topic)), planTopic, signal)
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  // Read behind the ends: what a planner added before that is counted, so that no target can be ahead of its plan.
  const { plan } = await planNow(kafka, planTopic, targets.head, signal)
  return partitions.map(partition => {
    const due = known.records.get(partition) ?? 0
    const planned = (plan ?? known).records.get(partition) ?? 0
    const start = starts.offsets.get(partition)
    const end = ends.offsets.get(partition)
    if (start === undefined || end === undefined)
      throw unknownCount(partition, starts.failed.get(partition) ?? ends.failed.get(partition) ?? 'no answer')
    const held = countOf(partition, start, end, targets)
    if (held > planned && plan !== undefined) throw spoiledBehind(partition, planned, held, targets)
    return { ...partition, planned, due, restored: Math.min(held, planned), held }
  })
}

/** A partition that has no leader for now is not gone. */
function unknownCount({ topic, partition }: TopicPartition, error: string): MaxbrodError {
  return error === 'UNKNOWN_TOPIC_OR_PARTITION'
    ? new MaxbrodError('TARGET_REPLACED', `${topic}-${partition} is gone since the restore was planned`, {
        topic,
        partition,
        hint: 'plan again with --restart-plan, or into a new --plan-topic',
      })
    : new MaxbrodError('KAFKA_GAVE_UP', `cannot tell how much of ${topic}-${partition} is restored: ${error}`, {
        topic,
        partition,
      })
}

function countOf({ topic, partition }: TopicPartition, start: number, end: number, targets: Targets): number {
  const base = targets.baseOffset(topic, partition)
  checkLogStart({ topic, partition, baseOffset: base }, start, end)
  return end - base
}

function spoiledBehind(
  { topic, partition }: TopicPartition,
  planned: number,
  restored: number,
  targets: Targets,
): MaxbrodError {
  return new MaxbrodError(
    'TARGET_SPOILED',
    `${topic}-${partition} holds ${restored} records, where ${planned} are planned`,
    {
      topic,
      partition,
      offset: targets.baseOffset(topic, partition) + planned,
      hint: 'another producer wrote to it, or a late copy arrived: restore this topic again under another name',
    },
  )
}
