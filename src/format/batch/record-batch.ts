import { crc32c } from '@node-rs/crc32'
import { DecodeError } from './varint.ts'

/** Bytes before the first record of a batch. Source: Kafka documentation, "Record Batch" (magic 2). */
export const BATCH_HEADER_BYTES = 61
/** Bytes of a batch that its length field does not count: base offset and the length itself. */
export const BATCH_LENGTH_OVERHEAD = 12
/** Where the checksummed part of a batch begins. */
export const CRC_START = 21

export const BATCH_CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type BatchCodec = (typeof BATCH_CODECS)[number]

/** The bits of `attributes` for a codec. */
export function codecBits(codec: BatchCodec): number {
  return BATCH_CODECS.indexOf(codec)
}

/**
 * A record batch of format 2 where it lies in a buffer. Nothing is decoded before it is asked for, so scanning a fetch
 * answer for its batches costs almost nothing.
 */
export class RecordBatch {
  /** The buffer that holds the batch, usually with others. */
  readonly bytes: Buffer
  /** Where the batch begins and ends in the buffer. */
  readonly start: number
  readonly end: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  get baseOffset(): number {
    return readOffset(this.bytes, this.start)
  }

  /** The offset behind the batch, whether or not compaction left a record there. Throws DecodeError above 2^53 − 1. */
  get nextOffset(): number {
    const last = this.baseOffset + this.bytes.readInt32BE(this.start + 23)
    if (last > Number.MAX_SAFE_INTEGER) throw new DecodeError('a last offset above 2^53 − 1')
    return last + 1
  }

  get leaderEpoch(): number {
    return this.bytes.readInt32BE(this.start + 12)
  }

  get #attributes(): number {
    return this.bytes.readInt16BE(this.start + CRC_START)
  }

  get codec(): BatchCodec {
    const codec = BATCH_CODECS[this.#attributes & 0b111]
    if (codec === undefined)
      throw new DecodeError(`compression codec ${this.#attributes & 0b111}, which Kafka does not define`)
    return codec
  }

  /** LogAppendTime: the batch's max timestamp holds for each of its records. */
  get isAppendTime(): boolean {
    return (this.#attributes & 0b1000) !== 0
  }

  get isTransactional(): boolean {
    return (this.#attributes & 0b1_0000) !== 0
  }

  get isControl(): boolean {
    return (this.#attributes & 0b10_0000) !== 0
  }

  /**
   * What the records' deltas count from. With the delete-horizon bit (KIP-534) the field holds that horizon, and the
   * broker has rewritten the deltas to match, so the sum is right in both cases.
   */
  get baseTimestamp(): bigint {
    return this.bytes.readBigInt64BE(this.start + 27)
  }

  get maxTimestamp(): bigint {
    return this.bytes.readBigInt64BE(this.start + 35)
  }

  /** −1 when the batch was written without idempotence. */
  get producerId(): bigint {
    return this.bytes.readBigInt64BE(this.start + 43)
  }

  get recordCount(): number {
    return this.bytes.readInt32BE(this.start + 57)
  }

  /** The records as they stand in the batch, compressed or not. */
  get payload(): Buffer {
    return this.bytes.subarray(this.start + BATCH_HEADER_BYTES, this.end)
  }

  /** Throws DecodeError unless the checksum holds and the counts make sense. */
  check(): void {
    const { bytes, start, end } = this
    const expected = bytes.readUInt32BE(start + 17)
    const actual = crc32c(bytes.subarray(start + CRC_START, end))
    if (actual !== expected) throw new DecodeError(`a checksum of ${hex(actual)} where the batch says ${hex(expected)}`)
    const delta = bytes.readInt32BE(start + 23)
    const count = this.recordCount
    if (delta < 0 || count < 0 || count > delta + 1) throw new DecodeError(`${count} records on ${delta + 1} offsets`)
  }
}

/** Where the format's number stands, in all formats. */
const MAGIC_AT = 16

/**
 * The whole batches in a fetch answer, in order. A partial one at the end is normal (the broker cuts at the byte limit)
 * and left out, but not the first one: a broker sends at least one whole batch or nothing (KIP-74), so that would be read
 * for ever. Throws DecodeError for what is no batch and for offsets that go back, MagicError for message formats before 2.
 */
export function* batchesIn(bytes: Buffer): Generator<RecordBatch> {
  let at = 0
  let next = 0
  // A message of an old format may be shorter than the header of a batch.
  while (at + MAGIC_AT < bytes.length) {
    const magic = bytes.readInt8(at + MAGIC_AT)
    if (magic === 0 || magic === 1) throw new MagicError(magic)
    if (magic !== 2) throw new DecodeError(`message format ${magic}, which Kafka does not define`)
    const length = bytes.readInt32BE(at + 8)
    if (length < BATCH_HEADER_BYTES - BATCH_LENGTH_OVERHEAD) throw new DecodeError(`a batch length of ${length}`)
    const end = at + BATCH_LENGTH_OVERHEAD + length
    if (end > bytes.length) break
    const batch = new RecordBatch(bytes, at, end)
    if (batch.baseOffset < next)
      throw new DecodeError(`a batch at offset ${batch.baseOffset}, where ${next} is the next`)
    next = batch.nextOffset
    yield batch
    at = end
  }
  if (at === 0 && bytes.length > 0) throw new DecodeError(`${bytes.length} bytes without a whole batch`)
}

/** Message format 0 or 1, from before Kafka 0.11; brokers still serve old segments as they are. */
export class MagicError extends DecodeError {
  readonly magic: 0 | 1

  constructor(magic: 0 | 1) {
    super(`message format ${magic}, where 2 is needed`)
    this.magic = magic
  }
}

/** An int64 offset as a safe integer. Throws DecodeError above 2^53 − 1 or below 0. */
export function readOffset(bytes: Buffer, at: number): number {
  const high = bytes.readInt32BE(at)
  if (high < 0 || high > 0x1f_ffff)
    throw new DecodeError(`the offset ${bytes.readBigInt64BE(at)}, outside 0 … 2^53 − 1`)
  return high * 4_294_967_296 + bytes.readUInt32BE(at + 4)
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
