import { readGroups } from '../catalog/group-snapshots.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { SoundSnapshots } from '../catalog/sound-snapshots.ts'
import { groupsPrefix, parseSnapshotKey } from '../format/system-keys.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ListedObject, ObjectStore } from '../storage/port.ts'
import { passOver } from './pass-over.ts'

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
  /** The key where kafka-data-keep has its file, and ours lie beside it: the newer of both counts. */
  readonly location?: string | undefined
}

interface ChooseDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Logger
  /** What is known already of damaged ones; for one that chooses more than once. */
  readonly sound?: SoundSnapshots
}

/** Another writer's clock may be ahead. */
const AHEAD_MS = 24 * 3_600_000

/**
 * The snapshot that was named; that of the newest restoration point not after a time whose ends `isCovered` by what is restored; or
 * the newest one, the file of kafka-data-keep at `location` among them. Damaged ones are passed over, unless one was named. Throws BACKUP_NOT_FOUND; OBJECT_CORRUPT when only damaged
 * ones are there.
 */
export async function chooseSnapshot(
  { store, clock, log, sound = new SoundSnapshots(store, passOver(log)) }: ChooseDeps,
  { at, snapshot, location }: Choice,
  isCovered: (point: RestorationPoint) => boolean,
  signal: AbortSignal,
): Promise<ChosenSnapshot> {
  if (snapshot !== undefined) {
    const key = keyOf(snapshot)
    return chosen(key, (await readGroups(store, key, signal)).groups, undefined)
  }
  if (at === undefined) {
    const latestMs = clock.now() + AHEAD_MS
    const file = location === undefined ? undefined : await fileAt(store, location, signal)
    for await (const { key, groups, atMs } of sound.groupsNotAfter(latestMs, signal)) {
      if (file !== undefined && file.modifiedAtMs >= atMs) break
      if (location !== undefined)
        log.warn(
          { location, snapshot: key },
          'the snapshot of maxbrod groups-backup is taken: nothing newer is at the location',
        )
      return chosen(key, groups, await pointOf(sound, key, latestMs, signal))
    }
    if (file !== undefined) return chosen(file.key, (await readGroups(store, file.key, signal)).groups, undefined)
    throw (
      sound.firstError ??
      nothingThere(store.url, location === undefined ? 'no group snapshot' : `neither ${location} nor a group snapshot`)
    )
  }
  let newest: RestorationPoint | undefined
  for await (const point of sound.pointsNotAfter(at, signal)) {
    if (point.groupsKey === undefined) continue
    newest ??= point
    if (!isCovered(point)) continue
    const found = await sound.groups(point.groupsKey, signal)
    if (found === undefined) continue
    if (point !== newest)
      log.warn(
        { point: point.key, newest: newest.key },
        'an older restoration point: the newest is not reached, or damaged',
      )
    return chosen(found.key, found.groups, point)
  }
  for await (const point of sound.pointsNotAfter(at, signal)) {
    const found = point.groupsKey === undefined ? undefined : await sound.groups(point.groupsKey, signal)
    if (found === undefined) continue
    log.warn(
      { point: point.key },
      'the plan covers no restoration point up to that time: groups may be ahead of the data',
    )
    return chosen(found.key, found.groups, point)
  }
  throw sound.firstError ?? nothingThere(store.url, 'no restoration point with groups up to that time')
}

async function fileAt(store: ObjectStore, key: string, signal: AbortSignal): Promise<ListedObject | undefined> {
  for await (const object of store.list(key, { signal })) return object.key === key ? object : undefined
  return undefined
}

/** The newest point that names a snapshot: newer snapshots, which cannot be read, may have newer points. */
async function pointOf(
  sound: SoundSnapshots,
  key: string,
  latestMs: number,
  signal: AbortSignal,
): Promise<RestorationPoint | undefined> {
  for await (const point of sound.pointsNotAfter(latestMs, signal)) {
    if (point.groupsKey === key) return point
    if (point.groupsKey === undefined || point.groupsKey < key) return undefined
  }
  return undefined
}

function chosen(key: string, groups: readonly GroupOffsets[], point: RestorationPoint | undefined): ChosenSnapshot {
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
