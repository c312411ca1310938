import { MaxbrodError } from '../../runtime/errors.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { partitionName } from '../../runtime/topic-partition.ts'

/**
 * The metadata of our commits. The committed offset is a cache of what the store says, and the note tells whether it is a
 * cache of this store: same archive, same incarnation and lineage of the topic, and which tile ends there.
 */
export interface CommitNote {
  readonly archiveId: string
  readonly topicId: string | undefined
  readonly lineage: number | undefined
  /** Where the tile begins that ends at the committed offset; undefined while there is none. */
  readonly lastFrom: number | undefined
  readonly origin: number
  /** Why the partition cannot go on with its owner, as an error code; missing while it can. */
  readonly stopped?: string
}

export function encodeCommitNote(note: CommitNote): string {
  return JSON.stringify(note)
}

/** The note, or undefined for metadata that is none of ours: another program committed there. */
export function decodeCommitNote(metadata: string): CommitNote | undefined {
  let note: Partial<Record<keyof CommitNote, unknown>>
  try {
    note = JSON.parse(metadata) as typeof note
  } catch {
    return undefined
  }
  if (typeof note !== 'object' || note === null) return undefined
  const { archiveId, topicId, lineage, lastFrom, origin, stopped } = note
  if (typeof archiveId !== 'string' || typeof origin !== 'number') return undefined
  if (topicId !== undefined && typeof topicId !== 'string') return undefined
  if (lineage !== undefined && typeof lineage !== 'number') return undefined
  if (lastFrom !== undefined && typeof lastFrom !== 'number') return undefined
  const known = { archiveId, topicId, lineage, lastFrom, origin }
  return typeof stopped === 'string' ? { ...known, stopped } : known
}

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
