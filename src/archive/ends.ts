import type { RestorationPoint } from '../catalog/restoration-points.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { Ends } from './cover.ts'
import { EXPIRED, EXPIRING } from './losses.ts'
import type { Loss } from './losses.ts'

/** What two restoration points say of a partition. */
export interface Known {
  /** At the newest point. */
  readonly newest: PointPartition | undefined
  /** At the newest one that is old enough for all of it to be in files. */
  readonly due: PointPartition | undefined
}

const FILES_GONE = 'the topic is one of the backup, and none of its files is there'
const TOPIC_GONE = 'the topic was deleted in Kafka, and no file has them'

/** What the points know of one incarnation of a topic, by partition. Pure. */
export function knownOf(
  topic: string,
  topicId: string | undefined,
  newest: RestorationPoint | undefined,
  due: RestorationPoint | undefined,
): Map<number, Known> {
  const of = (point: RestorationPoint | undefined) =>
    new Map(
      (point?.partitions ?? [])
        .filter(one => one.topic === topic && (one.topic_id ?? undefined) === topicId)
        .map(one => [one.partition, one] as const),
    )
  const [now, before] = [of(newest), of(due)]
  return new Map(
    [...new Set([...now.keys(), ...before.keys()])].map(n => [n, { newest: now.get(n), due: before.get(n) }]),
  )
}

export function hasRecords({ newest, due }: Known): boolean {
  return [newest, due].some(one => one !== undefined && one.end > one.log_start)
}

/** How far Kafka went, and what of it can come no more. `isGone`: the topic had files, and has none. Pure. */
export function endsOf({ newest, due }: Known, isGone: boolean): Ends | undefined {
  const first = isGone ? (due ?? newest) : (newest ?? due)
  const last = newest ?? due
  if (first === undefined || last === undefined) return undefined
  return { logStart: first.log_start, end: last.end, dueEnd: due?.end, lost: lossesOf({ newest, due }, isGone) }
}

function lossesOf({ newest, due }: Known, isGone: boolean): Loss[] {
  const all = due === undefined || !isGone ? [] : [{ to: due.end, reason: FILES_GONE }]
  if (newest === undefined) return due === undefined ? all : [...all, { to: due.end, reason: TOPIC_GONE }]
  const expired = (one: PointPartition) => Math.min(one.log_start, one.end)
  if (due !== undefined) all.push({ to: Math.min(expired(due), expired(newest)), reason: EXPIRED })
  // A worker reads ahead of its files; what retention takes meanwhile is in its spool.
  return [...all, { to: expired(newest), reason: EXPIRING, isDoubtful: true }]
}
