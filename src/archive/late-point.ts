import type { RestorationPoint } from '../catalog/restoration-points.ts'
import type { AskedTopic, LivePartition } from './live.ts'

export const LATE_POINT =
  'nobody has made a restoration point for longer than --point-late-after: maxbrod groups-backup is not at work, or nothing has changed in Kafka since'

/** What Kafka says of the topics of a backup; undefined where nobody asked it. */
type Told = ReadonlyMap<AskedTopic, ReadonlyMap<number, LivePartition>> | undefined

/**
 * Whether the newest restoration point is so old that nobody seems to make any more. Points are made when something has changed, and
 * a cluster may be idle: that only Kafka can tell. Pure.
 */
export function isPointLate(
  point: RestorationPoint | undefined,
  { nowMs, lateAfterMs }: { readonly nowMs: number; readonly lateAfterMs: number },
  asked: readonly AskedTopic[],
  told: Told,
): boolean {
  if (point === undefined || nowMs - point.atMs <= lateAfterMs) return false
  return !asked.every(one => isUnchanged(one, point, told?.get(one)))
}

function isUnchanged(
  { topic, topicId }: AskedTopic,
  { partitions }: RestorationPoint,
  live: ReadonlyMap<number, LivePartition> | undefined,
): boolean {
  if (live === undefined || live.size === 0) return false
  const known = new Map(
    partitions
      .filter(one => one.topic === topic && (one.topic_id ?? undefined) === topicId)
      .map(one => [one.partition, one.end]),
  )
  return [...live].every(([partition, { end }]) => known.get(partition) === end)
}
