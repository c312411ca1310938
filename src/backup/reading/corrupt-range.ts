import { batchesIn } from '../../format/batch/record-batch.ts'
import type { RecordBatch } from '../../format/batch/record-batch.ts'
import { DecodeError } from '../../format/batch/varint.ts'

/** A batch that fails its checksum, and what lies behind it. */
export interface CorruptBatch {
  /** The offset behind it, as its own header says: the checksum covers that, too, so it may be wrong. */
  readonly nextOffset: number
  /** The batch behind it in the log, as far as the same answer shows it. */
  readonly behind: BatchBehind | undefined
}

export interface BatchBehind {
  readonly baseOffset: number
  readonly isSound: boolean
}

/**
 * The batch at `position` if its checksum is wrong. Undefined for anything else that cannot be decoded: a batch whose checksum
 * holds is what its producer sent, and whoever cannot read it has a fault of his own; and where no batch can be told from the
 * next one, nobody knows what a gap would leave out. Pure.
 */
export function corruptBatchAt(records: Buffer, position: number): CorruptBatch | undefined {
  try {
    let corrupt: RecordBatch | undefined
    for (const batch of batchesIn(records)) {
      if (corrupt !== undefined) return { nextOffset: corrupt.nextOffset, behind: batchBehind(batch) }
      if (batch.nextOffset <= position) continue
      if (isSound(batch)) return undefined
      corrupt = batch
    }
    return corrupt === undefined ? undefined : { nextOffset: corrupt.nextOffset, behind: undefined }
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** The first batch of an answer. Throws DecodeError for what is none. */
export function firstBatchOf(records: Buffer): BatchBehind | undefined {
  for (const batch of batchesIn(records)) return batchBehind(batch)
  return undefined
}

/**
 * Where the offsets of a corrupt batch end, or undefined when its header and what lies behind it do not agree. `behind` is
 * what Kafka gives from the batch's `nextOffset` on; undefined when there is nothing up to `lastStableOffset`. Pure.
 */
export function corruptRangeEnd(
  { nextOffset }: CorruptBatch,
  behind: BatchBehind | undefined,
  lastStableOffset: number,
): number | undefined {
  if (behind === undefined) return nextOffset === lastStableOffset ? nextOffset : undefined
  if (behind.baseOffset === nextOffset) return nextOffset
  // Compaction left a hole, or the header says too little. Kafka has nothing in between, in either case.
  return behind.baseOffset > nextOffset && behind.isSound ? behind.baseOffset : undefined
}

function batchBehind(batch: RecordBatch): BatchBehind {
  return { baseOffset: batch.baseOffset, isSound: isSound(batch) }
}

function isSound(batch: RecordBatch): boolean {
  try {
    batch.check()
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}
