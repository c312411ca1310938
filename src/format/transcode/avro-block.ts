import type { BufferPool } from '../../runtime/buffer-pool.ts'

/**
 * An Avro block under construction: the records' bytes one after the other, and what its file's header will say of them.
 * `moveRecords` fills it; the fields are open because they are written once per record.
 */
export class AvroBlock {
  bytes: Buffer
  /** Bytes used. */
  length = 0
  records = 0
  firstOffset = -1
  lastOffset = -1
  recordBytesMax = 0
  timestampMin = 0n
  timestampMax = 0n
  hasCreateTime = false
  hasAppendTime = false
  readonly #pool: BufferPool

  constructor(pool: BufferPool, capacityBytes: number) {
    this.#pool = pool
    this.bytes = pool.take(capacityBytes)
  }

  get content(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Makes room for `bytes` more; what is there is kept. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return
    const larger = this.#pool.take(Math.max(this.bytes.length * 2, this.length + bytes))
    this.bytes.copy(larger, 0, 0, this.length)
    this.#pool.give(this.bytes)
    this.bytes = larger
  }

  /** Widens the span of timestamps. */
  seeTimestamps(min: bigint, max: bigint): void {
    const isFirst = !this.hasCreateTime && !this.hasAppendTime
    if (isFirst || min < this.timestampMin) this.timestampMin = min
    if (isFirst || max > this.timestampMax) this.timestampMax = max
  }

  /** Gives the buffer back; the block must not be used afterwards. */
  release(): void {
    this.#pool.give(this.bytes)
    this.bytes = Buffer.alloc(0)
    this.length = 0
  }
}
