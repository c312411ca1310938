import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { CommitNote } from '../../format/commit-note.ts'
import type { LogBounds } from '../resume/resume.ts'

/** What is known of a partition that is to be reset. */
export interface ResetFacts {
  readonly bounds: LogBounds
  /** Where the wish leads; −1 when it leads behind the last record. */
  readonly wanted: number
  readonly hasFiles: boolean
  readonly committed: CommittedOffset | undefined
  /** Of that commit, if it is ours and of this archive, incarnation and lineage. */
  readonly note: CommitNote | undefined
}

export type ResetVerdict =
  /** The store decides where the backup goes on. */
  | { readonly kind: 'has files' }
  | { readonly kind: 'there already'; readonly to: number }
  | { readonly kind: 'move'; readonly to: number }

/** Decides where a partition's backup begins: only one that has no files yet can be moved, and only to what Kafka has. */
export function decideReset({ bounds, wanted, hasFiles, committed, note }: ResetFacts): ResetVerdict {
  if (hasFiles) return { kind: 'has files' }
  const { logStart, highWatermark } = bounds
  const to = wanted < 0 ? highWatermark : Math.min(Math.max(wanted, logStart), highWatermark)
  const isThere = committed?.offset === to && note?.origin === to && note.lastFrom === undefined
  return { kind: isThere ? 'there already' : 'move', to }
}
