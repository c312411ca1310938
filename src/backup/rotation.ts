/** What is known of a tile that is being filled. */
export interface DraftState {
  /** Bytes of finished blocks in the spool, compressed. */
  readonly spooledBytes: number
  /** How many offsets it covers, with or without records. */
  readonly coveredOffsets: number
  /** How long ago its first offset was covered. */
  readonly ageMs: number
}

export interface RotationLimits {
  readonly minFileSize: number
  readonly maxFileAge: number
}

/** Why a tile is closed, or undefined to go on filling it. */
export type RotationReason = 'size' | 'age'

/** Decides whether a tile is closed and uploaded. Offsets without records count as well: they get a tile of no records. */
export function rotate(draft: DraftState, limits: RotationLimits): RotationReason | undefined {
  if (draft.coveredOffsets === 0) return undefined
  if (draft.spooledBytes >= limits.minFileSize) return 'size'
  if (draft.ageMs >= limits.maxFileAge) return 'age'
  return undefined
}
