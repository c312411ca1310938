import { MaxbrodError } from '../../runtime/errors.ts'
import type { CommitNote } from '../../format/commit-note.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { partitionName } from '../../runtime/topic-partition.ts'

/**
 * The note of a partition that stopped before anything was committed of it. It tells why and caches nothing: neither its offset
 * nor its lineage speaks of the store.
 */
export function noteOfNothing(archiveId: string, topicId: string | undefined, stopped: string): CommitNote {
  return { archiveId, topicId, lineage: undefined, lastFrom: undefined, origin: -1, stopped }
}

export function isCache({ origin }: CommitNote): boolean {
  return origin >= 0
}

/** Throws FOREIGN_ARCHIVE when a commit is no cache of this archive: its group belongs to another one. */
export function requireArchive({ archiveId }: CommitNote, ours: string, { topic, partition }: TopicPartition): void {
  if (archiveId === ours) return
  const name = partitionName({ topic, partition })
  throw new MaxbrodError('FOREIGN_ARCHIVE', `the group has committed ${name} for another archive (${archiveId})`, {
    topic,
    partition,
    hint: 'use another --group-id for this storage, or the storage that this group was used with',
  })
}
