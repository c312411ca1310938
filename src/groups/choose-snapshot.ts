import { findGroups, readGroups } from '../catalog/group-snapshots.ts'
import { pointsNotAfter } from '../catalog/restoration-points.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { groupsPrefix, parseSnapshotKey } from '../format/keys.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'

/** The groups to restore. */
export interface ChosenSnapshot {
  readonly key: string
  readonly groups: readonly GroupOffsets[]
  /** When it was taken; undefined when its name does not tell. */
  readonly atMs: number | undefined
  /** The restoration point that it belongs to, if one is known. */
  readonly point: RestorationPoint | undefined
}

export interface Choice {
  readonly at: number | undefined
  readonly snapshot: string | undefined
}

interface ChooseDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Logger
}

/** Another writer's clock may be ahead. */
const AHEAD_MS = 24 * 3_600_000

/**
 * The snapshot that was named; that of the newest restoration point not after a time whose ends `isCovered` by what is restored; or
 * the newest one. Throws BACKUP_NOT_FOUND.
 */
export async function chooseSnapshot(
  { store, clock, log }: ChooseDeps,
  { at, snapshot }: Choice,
  isCovered: (point: RestorationPoint) => boolean,
  signal: AbortSignal,
): Promise<ChosenSnapshot> {
  if (snapshot !== undefined) return read(store, keyOf(snapshot), undefined, signal)
  const latestMs = clock.now() + AHEAD_MS
  if (at === undefined) {
    const newest = await findGroups(store, latestMs, signal)
    if (newest === undefined) throw nothingThere(store.url, 'no group snapshot')
    for await (const point of pointsNotAfter(store, latestMs, signal))
      return read(store, newest.key, point.groupsKey === newest.key ? point : undefined, signal)
    return read(store, newest.key, undefined, signal)
  }
  let newest: RestorationPoint | undefined
  for await (const point of pointsNotAfter(store, at, signal)) {
    if (point.groupsKey === undefined) continue
    newest ??= point
    if (!isCovered(point)) continue
    if (point !== newest)
      log.warn(
        { point: point.key, newest: newest.key },
        'an older restoration point: the plan does not reach the newest',
      )
    return read(store, point.groupsKey, point, signal)
  }
  if (newest?.groupsKey === undefined) throw nothingThere(store.url, 'no restoration point with groups up to that time')
  log.warn(
    { point: newest.key },
    'the plan covers no restoration point up to that time: groups may be ahead of the data',
  )
  return read(store, newest.groupsKey, newest, signal)
}

async function read(
  store: ObjectStore,
  key: string,
  point: RestorationPoint | undefined,
  signal: AbortSignal,
): Promise<ChosenSnapshot> {
  const { groups } = await readGroups(store, key, signal)
  return { key, groups, atMs: parseSnapshotKey(groupsPrefix, key), point }
}

/** `2026-11-21T05-30-13.123Z` and what else names the same object; any other name is a key. */
function keyOf(name: string): string {
  for (const key of [`${groupsPrefix}${name}`, `${groupsPrefix}${name}.avro`])
    if (parseSnapshotKey(groupsPrefix, key) !== undefined) return key
  return name
}

function nothingThere(url: string, what: string): MaxbrodError {
  return new MaxbrodError('BACKUP_NOT_FOUND', `there is ${what} in ${url}`, {
    hint: 'run maxbrod groups-backup, or check the bucket, the prefix and --at',
  })
}
