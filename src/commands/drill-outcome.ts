import type { DrilledTopic, Shortfall } from '../archive/drill-report.ts'
import type { RestoreResult } from '../executor/result.ts'
import type { PlanResult } from '../planner/result.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { Comparison } from './drill-compare.ts'

/** What became of each topic, by the names of the backup. */
export function topicsOf(planned: PlanResult, restored: RestoreResult, { partitions }: Comparison): DrilledTopic[] {
  return planned.topics.map(({ source, target, files, bytes, records }) => {
    const own = partitions.filter(one => one.restoredTopic === target)
    const times = (pick: (one: (typeof own)[number]) => bigint | undefined) => own.flatMap(one => pick(one) ?? [])
    return {
      topic: source,
      partitions: own.length,
      files,
      bytes,
      recordsPlanned: records,
      recordsRestored: restored.topics.find(({ topic }) => topic === target)?.recordsRestored ?? 0,
      recordsCompared: own.reduce((sum, one) => sum + one.records, 0),
      timestampMin: least(
        times(one => one.timestampMin),
        (a, b) => a < b,
      ),
      timestampMax: least(
        times(one => one.timestampMax),
        (a, b) => a > b,
      ),
      differences: own.reduce((sum, one) => sum + one.differences, 0),
    }
  })
}

/** What was not restored, and what cannot be read: by the names of the backup. */
export function shortfalls({ incomplete }: RestoreResult, { partitions }: Comparison): Shortfall[] {
  const sources = new PartitionMap(
    partitions.map(one => [{ topic: one.restoredTopic, partition: one.partition }, one.topic] as const),
  )
  return [
    ...incomplete.map(({ recordsRestored, recordsPlanned, message, ...target }) => ({
      topic: sources.get(target) ?? target.topic,
      partition: target.partition,
      says: `${recordsRestored} of ${recordsPlanned} records were restored: ${message}`,
    })),
    ...partitions.flatMap(({ topic, partition, unreadable, restoredTopic }) =>
      unreadable === undefined ||
      incomplete.some(one => partitionName(one) === partitionName({ topic: restoredTopic, partition }))
        ? []
        : [{ topic, partition, says: `could not be compared: ${unreadable}` }],
    ),
  ]
}

function least<T>(values: readonly T[], isBetter: (a: T, b: T) => boolean): T | undefined {
  return values.reduce<T | undefined>(
    (best, one) => (best === undefined || isBetter(one, best) ? one : best),
    undefined,
  )
}
