import { crc32c } from '@node-rs/crc32'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { compressPayload } from './compression.ts'
import type { BatchCodec } from './record-batch.ts'
import { BATCH_HEADER_BYTES, BATCH_LENGTH_OVERHEAD, CRC_START, codecBits } from './record-batch.ts'
import { bigIntegerBytes, integerBytes, writeBigInteger, writeInteger } from './varint.ts'

/** Who appends, and where in its sequence. Source: KIP-98, "Idempotent Producer". */
export interface ProducerStamp {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Sequence of the first record: 0 … 2^31 − 1, then 0 again. */
  readonly baseSequence: number
}

/** Timestamps this small keep sums and differences exact in doubles. */
const SMALL_TIMESTAMP = 2 ** 51

/**
 * A record batch of format 2 under construction, in its final buffer. Records are appended in the order they are to have;
 * the broker gives them their offsets.
 */
export class BatchBuilder {
  bytes: Buffer
  /** Bytes used, the header's included. */
  length = BATCH_HEADER_BYTES
  records = 0
  readonly #pool: BufferPool
  #baseTimestamp: number | bigint = 0
  #maxTimestamp: number | bigint = 0

  constructor(pool: BufferPool, capacityBytes: number) {
    this.#pool = pool
    this.bytes = pool.take(Math.max(capacityBytes, BATCH_HEADER_BYTES))
  }

  /**
   * Begins a record whose key, value and headers will take `bodyBytes`: writes its length, attributes and deltas, and
   * returns the position where the body begins. The caller sets `length` behind the body it wrote.
   */
  begin(timestamp: number | bigint, bodyBytes: number): number {
    if (this.records === 0) {
      this.#baseTimestamp = timestamp
      this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const delta = timestampDelta(timestamp, this.#baseTimestamp)
    const deltaBytes = typeof delta === 'bigint' ? bigIntegerBytes(delta) : integerBytes(delta)
    const recordBytes = 1 + deltaBytes + integerBytes(this.records) + bodyBytes
    this.#reserve(recordBytes + 5)
    const { bytes } = this
    let at = writeInteger(bytes, this.length, recordBytes)
    bytes[at++] = 0 // attributes
    at = typeof delta === 'bigint' ? writeBigInteger(bytes, at, delta) : writeInteger(bytes, at, delta)
    return writeInteger(bytes, at, this.records++)
  }

  /**
   * The finished batch as one buffer. Uncompressed batches are finished in place. No record may be added afterwards; one that is
   * too large may be finished again by another codec. `release` gives the memory back once the batch was sent.
   */
  async finish(codec: BatchCodec, stamp: ProducerStamp): Promise<Buffer> {
    let batch = this.bytes.subarray(0, this.length)
    if (codec !== 'none') {
      const payload = await compressPayload(codec, batch.subarray(BATCH_HEADER_BYTES))
      batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + payload.length)
      payload.copy(batch, BATCH_HEADER_BYTES)
    }
    this.#writeHeader(batch, codec)
    stampBatch(batch, stamp)
    return batch
  }

  release(): void {
    this.#pool.give(this.bytes)
    this.bytes = Buffer.alloc(0)
  }

  #writeHeader(batch: Buffer, codec: BatchCodec): void {
    batch.writeBigInt64BE(0n, 0) // base offset: the broker's
    batch.writeInt32BE(batch.length - BATCH_LENGTH_OVERHEAD, 8)
    batch.writeInt32BE(-1, 12) // leader epoch: the broker's
    batch.writeInt8(2, 16)
    batch.writeInt16BE(codecBits(codec), CRC_START)
    batch.writeInt32BE(this.records - 1, 23)
    batch.writeBigInt64BE(BigInt(this.#baseTimestamp), 27)
    batch.writeBigInt64BE(BigInt(this.#maxTimestamp), 35)
    batch.writeInt32BE(this.records, 57)
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return
    const larger = this.#pool.take(Math.max(this.bytes.length * 2, this.length + bytes))
    this.bytes.copy(larger, 0, 0, this.length)
    this.#pool.give(this.bytes)
    this.bytes = larger
  }
}

/** Writes a producer's stamp into a finished batch and makes its checksum right. A batch may be stamped again. */
export function stampBatch(batch: Buffer, { producerId, producerEpoch, baseSequence }: ProducerStamp): void {
  batch.writeBigInt64BE(producerId, 43)
  batch.writeInt16BE(producerEpoch, 51)
  batch.writeInt32BE(baseSequence, 53)
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_START)), 17)
}

function timestampDelta(timestamp: number | bigint, base: number | bigint): number | bigint {
  if (
    typeof timestamp === 'number' &&
    typeof base === 'number' &&
    Math.abs(timestamp) < SMALL_TIMESTAMP &&
    Math.abs(base) < SMALL_TIMESTAMP
  ) {
    return timestamp - base
  }
  return BigInt.asIntN(64, BigInt(timestamp) - BigInt(base))
}
