import { findArchive } from '../catalog/archive.ts'
import { readGroups } from '../catalog/group-snapshots.ts'
import { snapshotsNotAfter } from '../catalog/snapshots.ts'
import { decodeCommitNote } from '../format/commit-note.ts'
import { clusterKey, groupsPrefix } from '../format/system-keys.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Unreadable } from './newest-points.ts'
import { unlessDamaged } from './unless-damaged.ts'

/** Offsets of a partition that were in files: a worker committed them, which it does when they are stored. */
export interface NotedFiles {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number
  readonly lineage: number | undefined
  readonly from: number
  readonly to: number
}

/** What the workers of this archive had stored, as the newest group snapshot that can be read has their commits. */
export async function readNotedFiles(
  store: ObjectStore,
  atMs: number,
  onUnreadable: (found: Unreadable) => void,
  signal: AbortSignal,
): Promise<readonly NotedFiles[]> {
  const told = (key: string) => (problem: string) => onUnreadable({ key, problem })
  for await (const { key } of snapshotsNotAfter(store, groupsPrefix, atMs, signal)) {
    const snapshot = await unlessDamaged(readGroups(store, key, signal), told(key))
    if (snapshot === undefined) continue
    const archive = await unlessDamaged(findArchive(store, signal), told(clusterKey))
    return archive === undefined ? [] : notedIn(snapshot.groups, archive.archiveId)
  }
  return []
}

/** Another group may have begun anew, and stand before the end of what one had stored. Pure. */
export function notedIn(groups: readonly GroupOffsets[], archiveId: string): NotedFiles[] {
  return groups.flatMap(({ topics }) =>
    topics.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition, offset: to, metadata }) => {
        const note = decodeCommitNote(metadata ?? '')
        // Without a last file it is only a place to begin at.
        if (note?.archiveId !== archiveId || note.lastFrom === undefined || note.origin < 0 || note.origin >= to)
          return []
        const { topicId, lineage, origin: from } = note
        return [{ topic, topicId, partition, lineage, from, to }]
      }),
    ),
  )
}
