import { readPoint } from '../../catalog/restoration-points.ts'
import type { RestorationPoint } from '../../catalog/restoration-points.ts'
import { listSnapshots } from '../../catalog/snapshots.ts'
import type { SnapshotKey } from '../../catalog/snapshots.ts'
import { pointsPrefix } from '../../format/system-keys.ts'
import type { PointPartition } from '../../format/snapshot/restoration-point.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { MaxbrodError, isMaxbrodError } from '../../runtime/errors.ts'
import { problemOf } from '../survey.ts'

const DAY_MS = 24 * 3_600_000
/** Points that are read together. */
const AHEAD = 16

/** The restoration points of an archive, and those whose offsets must stay. */
export interface ReadPoints {
  /** The oldest first. */
  readonly all: readonly SnapshotKey[]
  /** The newest ones that can be read, and the newest one that is older than a day, the newest first. */
  readonly kept: readonly RestorationPoint[]
  /** Those that should be among them and cannot be read. */
  readonly damaged: readonly MaxbrodError[]
}

/** Throws when there are points and none can be read: what they say would not stay. */
export async function readPoints(
  store: ObjectStore,
  count: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<ReadPoints> {
  const all = await listSnapshots(store, pointsPrefix, 0, signal)
  const kept: RestorationPoint[] = []
  const damaged: MaxbrodError[] = []
  const onDamaged = (error: MaxbrodError) => void damaged.push(error)
  for (const found of all.toReversed()) {
    const isOld = found.atMs < nowMs - DAY_MS
    if (kept.length >= count && !isOld) continue
    const point = await readUnlessDamaged(store, found, signal, onDamaged)
    if (point === undefined) continue
    kept.push(point)
    if (kept.length >= count && isOld) break
  }
  const [first] = damaged
  if (kept.length === 0 && first !== undefined)
    throw new MaxbrodError(
      first.code,
      `no restoration point can be read, and they say what must stay: ${first.message}`,
      {
        ...first.facts,
        cause: first,
        hint: 'put back the original objects; to go by the rules alone, remove those that are damaged',
      },
    )
  return { all, kept, damaged }
}

/**
 * What the kept points need of a partition: all from the first offset on that Kafka still had then. Infinity when they do not
 * know it. Without a topic id (undefined) every incarnation counts. Pure.
 */
export function neededOf(
  points: readonly RestorationPoint[],
  topicId: string | undefined,
): (topic: string, partition: number) => number {
  const needed = new Map<string, number>()
  for (const { topic, topic_id: id, partition, log_start: start } of points.flatMap(({ partitions }) => partitions)) {
    if (topicId !== undefined && id !== null && id !== topicId) continue
    const name = `${topic} ${partition}`
    needed.set(name, Math.min(start, needed.get(name) ?? Infinity))
  }
  return (topic, partition) => needed.get(`${topic} ${partition}`) ?? Infinity
}

/**
 * The first offset that some of the points go back into: the least of their ends in a partition. What lies before it all of them have
 * as a whole. Infinity when they do not know the partition. Pure.
 */
export function historyFromOf(
  points: readonly RestorationPoint[],
  topicId: string | undefined,
): (topic: string, partition: number) => number {
  const ends = new Map<string, number>()
  for (const { topic, topic_id: id, partition, log_start: start, end } of points.flatMap(one => one.partitions)) {
    if ((topicId !== undefined && id !== null && id !== topicId) || end <= start) continue
    const name = `${topic} ${partition}`
    ends.set(name, Math.min(end, ends.get(name) ?? Infinity))
  }
  return (topic, partition) => ends.get(`${topic} ${partition}`) ?? Infinity
}

/**
 * The points that nobody can go back to any more: the oldest ones, up to the first of which some partition has something left,
 * and those from before `keptFromMs`. Never those that are kept.
 */
export async function oldPoints(
  store: ObjectStore,
  { all, kept }: ReadPoints,
  hasFiles: (partition: PointPartition) => boolean,
  keptFromMs: number,
  signal: AbortSignal,
): Promise<readonly SnapshotKey[]> {
  const oldestKeptMs = kept.at(-1)?.atMs
  if (oldestKeptMs === undefined) return []
  const candidates = all.filter(({ atMs }) => atMs < oldestKeptMs)
  const tooOld = candidates.filter(({ atMs }) => atMs < keptFromMs).length
  for (let at = tooOld; at < candidates.length; at += AHEAD) {
    const together = candidates.slice(at, at + AHEAD)
    const read = await Promise.all(together.map(found => readUnlessDamaged(store, found, signal)))
    const useful = read.findIndex(point => point?.partitions.some(one => one.end > one.log_start && hasFiles(one)))
    if (useful >= 0) return candidates.slice(0, at + useful)
  }
  return candidates
}

async function readUnlessDamaged(
  store: ObjectStore,
  found: SnapshotKey,
  signal: AbortSignal,
  onDamaged: (error: MaxbrodError) => void = () => undefined,
): Promise<RestorationPoint | undefined> {
  try {
    return await readPoint(store, found, signal)
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    // One that is missing went with another prune, which keeps the newest, too.
    if (isMaxbrodError(error) && error.code !== 'OBJECT_MISSING') onDamaged(error)
    return undefined
  }
}
