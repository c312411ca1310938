import type { BlockBounds } from '../../format/transcode/to-avro.ts'

/** What is known of a tile that is being filled. */
export interface DraftState {
  /** Bytes of finished blocks in the spool, compressed. */
  readonly spooledBytes: number
  /** Bytes that the blocks can have at most, those that are still being compressed among them. */
  readonly bytesAtMost: number
  readonly records: number
  /** How many offsets it covers, with or without records. */
  readonly coveredOffsets: number
  /** How long ago its first offset was covered. */
  readonly ageMs: number
}

export interface RotationLimits {
  readonly minFileSize: number
  /** No file is larger, unless it is that of a single record; undefined for no limit. */
  readonly maxFileSize: number | undefined
  /** No file has more records; undefined for no limit. */
  readonly maxFileRecords: number | undefined
  readonly maxFileAge: number
}

/** Why a tile is closed, or undefined to go on filling it. */
export type RotationReason = 'size' | 'records' | 'age'

/** A file's header is about a kilobyte; the names in it may be long. */
const HEADER_BYTES = 4 * 1024
/** A block that does not compress grows by its frames and their checksums, and by Avro's frame around it. */
const GROWTH = 1 / 128
const FRAME_BYTES = 128

/** Decides whether a tile is closed and uploaded. Offsets without records count as well: they get a tile of no records. */
export function rotate(draft: DraftState, limits: RotationLimits): RotationReason | undefined {
  if (draft.coveredOffsets === 0) return undefined
  if (draft.spooledBytes >= limits.minFileSize) return 'size'
  if (draft.records >= (limits.maxFileRecords ?? Infinity)) return 'records'
  if (draft.ageMs >= limits.maxFileAge) return 'age'
  return undefined
}

/** Decides whether a tile is closed before a block comes to it that might be too much: how it compresses is not known yet. */
export function rotateBefore(
  draft: Pick<DraftState, 'bytesAtMost' | 'records'>,
  block: { readonly length: number; readonly records: number },
  { maxFileSize = Infinity, maxFileRecords = Infinity }: RotationLimits,
): RotationReason | undefined {
  if (draft.records === 0) return undefined
  if (draft.records + block.records > maxFileRecords) return 'records'
  if (HEADER_BYTES + draft.bytesAtMost + compressedAtMost(block.length) > maxFileSize) return 'size'
  return undefined
}

/** What the next block may hold, so that a file has room for it: at least an empty one. */
export function blockBounds(
  draft: Pick<DraftState, 'records'> | undefined,
  { maxFileSize, maxFileRecords = Infinity }: RotationLimits,
): BlockBounds {
  return {
    maxBytes:
      maxFileSize === undefined ? Infinity : Math.floor((maxFileSize - HEADER_BYTES - FRAME_BYTES) / (1 + GROWTH)) - 1,
    maxRecords: maxFileRecords - (draft?.records ?? 0),
  }
}

/** How long a block of that many bytes can be in a file. */
export function compressedAtMost(bytes: number): number {
  return Math.ceil(bytes * (1 + GROWTH)) + FRAME_BYTES
}
