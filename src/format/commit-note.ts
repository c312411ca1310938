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
