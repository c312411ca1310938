import { pointKey } from '../format/system-keys.ts'
import { POINT_GROUPS_FACT, restorationPoints } from '../format/snapshot/restoration-point.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { SnapshotKey } from './snapshots.ts'
import { readSnapshot, writeSnapshot } from './snapshots.ts'

/** A moment that a restore can go back to: what each partition held then, and what the consumer groups had committed. */
export interface RestorationPoint extends SnapshotKey {
  /** Key of the group snapshot that belongs to it; undefined when no group was known then. */
  readonly groupsKey: string | undefined
  /** Every partition of the cluster at that moment, by topic and number. */
  readonly partitions: readonly PointPartition[]
}

/** Throws OBJECT_CORRUPT. */
export async function readPoint(
  store: ObjectStore,
  { key, atMs }: SnapshotKey,
  signal?: AbortSignal,
): Promise<RestorationPoint> {
  const { records, facts } = await readSnapshot(store, key, restorationPoints.open, signal)
  return { key, atMs, groupsKey: facts.get(POINT_GROUPS_FACT), partitions: records }
}

/** Writes a point under the time `atMs`. */
export async function writePoint(
  store: ObjectStore,
  { partitions, groupsKey, atMs }: Omit<RestorationPoint, 'key'>,
  signal?: AbortSignal,
): Promise<string> {
  const key = pointKey(atMs)
  const facts = groupsKey === undefined ? {} : { [POINT_GROUPS_FACT]: groupsKey }
  await writeSnapshot(store, key, await restorationPoints.encode(partitions, facts), signal)
  return key
}
