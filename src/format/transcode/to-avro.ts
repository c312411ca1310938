import type { RecordBatch } from '../batch/record-batch.ts'
import { DecodeError, readBigInteger, readInteger, writeBigInteger, writeInteger } from '../batch/varint.ts'
import type { Cursor } from '../batch/varint.ts'
import type { AvroBlock } from './avro-block.ts'
import { copySpan } from './copy.ts'

/** Avro's union branches in the order of our schema's `["null","bytes"]`. */
const NULL = 0x00
const BYTES = 0x02

/** Offset, timestamp, two union branches, the header array's count and end, and slack. */
const RECORD_OVERHEAD_BYTES = 48

/** A batch whose records are being moved into blocks. */
export interface MovingBatch extends Cursor {
  readonly batch: RecordBatch
  left: number
  /** Offset of the record before the next one. */
  previous: number
}

/** Offsets `from` ≤ o < `to`. */
export interface OffsetWindow {
  readonly from: number
  readonly to: number
}

/** What a block may hold at most. The first record of a block comes in however large it is. */
export interface BlockBounds {
  readonly maxBytes: number
  readonly maxRecords: number
}

const BOUNDLESS: BlockBounds = { maxBytes: Infinity, maxRecords: Infinity }

export function startMoving(batch: RecordBatch, payload: Buffer): MovingBatch {
  return { batch, bytes: payload, at: 0, left: batch.recordCount, previous: batch.baseOffset - 1 }
}

/**
 * Moves records from a batch into a block by copying spans, until the batch is used up, or the block holds `blockBytes` or
 * has no room for the next record within `bounds`. Records outside of `window` are left out. Returns true when the batch is used up; otherwise call again with a new block.
 * Throws DecodeError for records that do not fit their lengths, and for offsets that do not ascend inside the batch.
 */
export function moveRecords(
  moving: MovingBatch,
  block: AvroBlock,
  window: OffsetWindow,
  blockBytes: number,
  { maxBytes, maxRecords }: BlockBounds = BOUNDLESS,
): boolean {
  const { batch, bytes } = moving
  const { baseOffset, nextOffset, isAppendTime } = batch
  const base = isAppendTime ? batch.maxTimestamp : batch.baseTimestamp
  const baseNumber = Number(base)
  // With both below 2^51, sums stay exact in doubles and in the writer's fast path.
  const isSmall = Math.abs(baseNumber) < 2 ** 51
  let smallMin = Infinity
  let smallMax = -Infinity

  try {
    while (moving.left > 0 && block.length < blockBytes && block.records < maxRecords) {
      const { at, previous } = moving
      const length = readInteger(moving)
      const end = moving.at + length
      if (length < 6 || end > bytes.length) throw new DecodeError(`a record length of ${length}`)
      const next = end
      moving.at++ // attributes: no bit is defined for records
      const deltaAt = moving.at
      let delta = 0
      let isSmallRecord = isSmall
      if (isAppendTime || !isSmall) skipVarint(moving)
      else {
        delta = readDelta(moving)
        isSmallRecord = !Number.isNaN(delta)
      }
      const offset = baseOffset + readInteger(moving)
      moving.left--
      if (offset <= moving.previous || offset >= nextOffset) {
        throw new DecodeError(`offset ${offset} behind ${moving.previous} in a batch that ends at ${nextOffset}`)
      }
      moving.previous = offset
      if (offset < window.from || offset >= window.to) {
        moving.at = next
        continue
      }

      // A header of n bytes becomes n + 1, and none is shorter than two bytes.
      const bound = length + (length >> 1) + RECORD_OVERHEAD_BYTES
      if (block.length + bound > block.bytes.length) block.reserve(bound)
      const out = block.bytes
      const startsAt = block.length
      let to = writeInteger(out, startsAt, offset)
      const timestamp = baseNumber + delta
      let bigTimestamp = base
      if (isSmallRecord) to = writeInteger(out, to, timestamp)
      else {
        if (!isAppendTime) bigTimestamp = BigInt.asIntN(64, base + readBigInteger({ bytes, at: deltaAt }))
        to = writeBigInteger(out, to, bigTimestamp)
      }
      to = moveField(moving, end, out, to)
      to = moveField(moving, end, out, to)
      to = moveHeaders(moving, end, out, to)
      if (moving.at !== end) throw new DecodeError(`a record of ${length} bytes that ends elsewhere`)
      if (to > maxBytes && block.records > 0) {
        moving.at = at
        moving.left++
        moving.previous = previous
        return false
      }
      // Only now is it a record: a broken one must not leave its time behind in a block that is kept.
      if (isSmallRecord) {
        if (timestamp < smallMin) smallMin = timestamp
        if (timestamp > smallMax) smallMax = timestamp
      } else {
        block.seeTimestamps(bigTimestamp, bigTimestamp)
        if (isAppendTime) block.hasAppendTime = true
        else block.hasCreateTime = true
      }
      if (block.firstOffset < 0) block.firstOffset = offset
      if (to - startsAt > block.recordBytesMax) block.recordBytesMax = to - startsAt
      block.length = to
      block.records++
      block.lastOffset = offset
    }
  } finally {
    if (smallMin <= smallMax) {
      block.seeTimestamps(BigInt(smallMin), BigInt(smallMax))
      if (isAppendTime) block.hasAppendTime = true
      else block.hasCreateTime = true
    }
  }
  if (moving.left > 0) return false
  if (moving.at !== bytes.length) throw new DecodeError('bytes behind the last record of a batch')
  return true
}

/**
 * A nullable field: Kafka says null by a negative length, Avro has a union branch; length and bytes are the same in both.
 * Producers write −1; any other negative length is null to Kafka's own reader, too.
 */
function moveField(moving: MovingBatch, end: number, out: Buffer, at: number): number {
  const from = moving.at
  const length = readInteger(moving)
  if (length < 0) {
    out[at] = NULL
    return at + 1
  }
  const to = moving.at + length
  if (to > end) throw new DecodeError(`a field length of ${length}`)
  out[at] = BYTES
  moving.at = to
  return copySpan(moving.bytes, from, to, out, at + 1)
}

function moveHeaders(moving: MovingBatch, end: number, out: Buffer, at: number): number {
  const count = readInteger(moving)
  if (count < 0) throw new DecodeError(`a header count of ${count}`)
  if (count > 0) {
    at = writeInteger(out, at, count)
    for (let left = count; left > 0; left--) {
      const from = moving.at
      const length = readInteger(moving)
      const to = moving.at + length
      if (length < 0 || to > end) throw new DecodeError(`a header name of ${length} bytes`)
      moving.at = to
      at = copySpan(moving.bytes, from, to, out, at)
      at = moveField(moving, end, out, at)
    }
  }
  out[at] = 0x00
  return at + 1
}

/** A timestamp delta below 2^51, or NaN for a larger one. */
function readDelta(moving: MovingBatch): number {
  const from = moving.at
  skipVarint(moving)
  const bytes = moving.at - from
  if (bytes > 7) return Number.NaN
  moving.at = from
  return readInteger(moving)
}

function skipVarint(moving: MovingBatch): void {
  const { bytes } = moving
  while ((bytes[moving.at] as number) >= 0x80) moving.at++
  moving.at++
}
