import { DecodeError } from '../format/batch/varint.ts'
import { groupsKey, groupsPrefix } from '../format/system-keys.ts'
import { decodeDataKeepGroups } from '../format/snapshot/data-keep-groups.ts'
import { groupOffsets } from '../format/snapshot/group-offsets.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { SnapshotKey } from './snapshots.ts'
import { readSnapshot, snapshotsNotAfter, writeSnapshot } from './snapshots.ts'

export interface GroupSnapshot {
  readonly key: string
  readonly groups: readonly GroupOffsets[]
}

/** The newest snapshot not after a moment; undefined when there is none. */
export async function findGroups(
  store: ObjectStore,
  atMs: number,
  signal?: AbortSignal,
): Promise<SnapshotKey | undefined> {
  for await (const found of snapshotsNotAfter(store, groupsPrefix, atMs, signal)) return found
  return undefined
}

/** A snapshot of ours, or a file of kafka-data-keep. Throws OBJECT_MISSING, OBJECT_CORRUPT. */
export async function readGroups(store: ObjectStore, key: string, signal?: AbortSignal): Promise<GroupSnapshot> {
  return { key, groups: await readSnapshot(store, key, decodeEither, signal) }
}

/** Writes a snapshot under the time `atMs`. */
export async function writeGroups(
  store: ObjectStore,
  groups: readonly GroupOffsets[],
  atMs: number,
  signal?: AbortSignal,
): Promise<string> {
  const key = groupsKey(atMs)
  await writeSnapshot(store, key, await groupOffsets.encode(groups), signal)
  return key
}

async function decodeEither(file: Buffer): Promise<GroupOffsets[]> {
  try {
    return await groupOffsets.decode(file)
  } catch (ours) {
    if (!(ours instanceof DecodeError)) throw ours
    return decodeDataKeepGroups(file).catch(() => {
      throw ours
    })
  }
}
