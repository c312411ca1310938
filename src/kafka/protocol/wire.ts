import { readOffset } from '../../format/batch/record-batch.ts'
import { DecodeError } from '../../format/batch/varint.ts'

/** The error code of a partition whose offsets are none, beside others in the same answer. */
export const CORRUPT_MESSAGE = 2

/** Writes the primitive types of the Kafka protocol guide, in a buffer that grows. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(512)
  #length = 0

  int8(value: number): this {
    this.#length = this.#room(1).writeInt8(value, this.#length)
    return this
  }
  int16(value: number): this {
    this.#length = this.#room(2).writeInt16BE(value, this.#length)
    return this
  }
  int32(value: number): this {
    this.#length = this.#room(4).writeInt32BE(value, this.#length)
    return this
  }
  int64(value: number | bigint): this {
    this.#length = this.#room(8).writeBigInt64BE(BigInt(value), this.#length)
    return this
  }
  uvarint(value: number): this {
    this.#room(5)
    let rest = value >>> 0
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#length++] = rest
    return this
  }
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    return this.int16(Buffer.byteLength(value)).#text(value)
  }
  compactString(value: string | null): this {
    if (value === null) return this.uvarint(0)
    return this.uvarint(Buffer.byteLength(value) + 1).#text(value)
  }
  raw(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }
  /** A topic id in Kafka's text form; null is the zero id. */
  uuid(id: string | null): this {
    return this.raw(id === null ? Buffer.alloc(16) : Buffer.from(id, 'base64url'))
  }
  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }
  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.uvarint(items.length + 1)
    for (const item of items) write(item)
    return this
  }
  /** An empty tag buffer (KIP-482). */
  noTags(): this {
    return this.uvarint(0)
  }
  /** What was written so far. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #text(value: string): this {
    this.#length += this.#room(Buffer.byteLength(value)).write(value, this.#length)
    return this
  }

  #room(bytes: number): Buffer {
    if (this.#length + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    return this.#bytes
  }
}

/** Reads the primitive types of the Kafka protocol guide. Throws RangeError or DecodeError when the bytes end early. */
export class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  int8(): number {
    return this.#bytes.readInt8(this.#pass(1))
  }
  bool(): boolean {
    return this.int8() !== 0
  }
  int16(): number {
    return this.#bytes.readInt16BE(this.#pass(2))
  }
  int32(): number {
    return this.#bytes.readInt32BE(this.#pass(4))
  }
  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#pass(8))
  }
  /** An offset; −1, which says "none", stays −1. */
  offset(): number {
    const at = this.#pass(8)
    return this.#bytes.readInt32BE(at) === -1 && this.#bytes.readInt32BE(at + 4) === -1
      ? -1
      : readOffset(this.#bytes, at)
  }
  /** The same; undefined for what can be none: an answer about many partitions is not void because of one of them. */
  offsetIfSound(): number | undefined {
    try {
      return this.offset()
    } catch (error) {
      if (!(error instanceof DecodeError) || this.#at > this.#bytes.length) throw error
      return undefined
    }
  }
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#pass(1))
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new DecodeError('a length of more than five bytes')
  }
  nullableString(): string | null {
    return this.#text(this.int16())
  }
  string(): string {
    return this.nullableString() ?? ''
  }
  nullableCompactString(): string | null {
    return this.#text(this.uvarint() - 1)
  }
  compactString(): string {
    return this.nullableCompactString() ?? ''
  }
  /** A topic id in Kafka's text form; null for the zero id. */
  uuid(): string | null {
    const at = this.#pass(16)
    const id = this.#bytes.subarray(at, at + 16)
    return id.every(byte => byte === 0) ? null : id.toString('base64url')
  }
  array<T>(read: () => T): T[] {
    return this.#items(this.int32(), read)
  }
  compactArray<T>(read: () => T): T[] {
    return this.#items(this.uvarint() - 1, read)
  }
  /** Bytes without a copy; none for null. */
  bytes(): Buffer {
    return this.#slice(this.int32())
  }
  compactBytes(): Buffer {
    return this.#slice(this.uvarint() - 1)
  }
  /** Passes a tag buffer (KIP-482). */
  skipTags(): void {
    this.tags(() => undefined)
  }
  /** A tag buffer's fields, each with its number and bytes. */
  tags(onField: (tag: number, field: WireReader) => void): void {
    for (let left = this.uvarint(); left > 0; left--) {
      const tag = this.uvarint()
      onField(tag, new WireReader(this.#slice(this.uvarint())))
    }
  }

  #text(length: number): string | null {
    if (length < 0) return null
    const at = this.#pass(length)
    return this.#bytes.toString('utf8', at, at + length)
  }

  #slice(length: number): Buffer {
    if (length <= 0) return this.#bytes.subarray(0, 0)
    const at = this.#pass(length)
    return this.#bytes.subarray(at, at + length)
  }

  #items<T>(count: number, read: () => T): T[] {
    const items: T[] = []
    for (let left = count; left > 0; left--) items.push(read())
    return items
  }

  #pass(bytes: number): number {
    const at = this.#at
    this.#at += bytes
    if (this.#at > this.#bytes.length) throw new DecodeError('an answer that ends early')
    return at
  }
}
