import type { DigestRecord } from './records.ts'

/**
 * RecordBatches by the letter of Kafka's documentation ("Record Batch", "Record", "Record Header"), without a line of
 * src/: plain, slow, and another opinion of what the bytes mean. Integers are BigInts all the way.
 */
export interface PlainBatch {
  readonly baseOffset: bigint
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly records: readonly DigestRecord[]
}

const headerBytes = 61
const appendTime = 0b1000

/** What is not said follows from the records. `encodePayload` compresses. */
export type BatchShape = Partial<Omit<PlainBatch, 'records'>> & {
  readonly encodePayload?: (records: Buffer) => Buffer
  /** When the header is to say another number of records than there are. */
  readonly count?: number
}

export function encodeBatch(records: readonly DigestRecord[], shape: BatchShape = {}): Buffer {
  const baseOffset = shape.baseOffset ?? records[0]?.offset ?? 0n
  const baseTimestamp = shape.baseTimestamp ?? records[0]?.timestamp ?? -1n
  const lastOffset = records.at(-1)?.offset ?? baseOffset
  const maxTimestamp = records.reduce((max, { timestamp }) => (timestamp > max ? timestamp : max), baseTimestamp)
  const plain = Buffer.concat(records.map(record => encodeRecord(record, baseOffset, baseTimestamp)))
  const payload = (shape.encodePayload ?? (bytes => bytes))(plain)
  const batch = Buffer.concat([Buffer.alloc(headerBytes), payload])
  batch.writeBigInt64BE(baseOffset, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(shape.leaderEpoch ?? 0, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(shape.attributes ?? 0, 21)
  batch.writeInt32BE(shape.lastOffsetDelta ?? Number(lastOffset - baseOffset), 23)
  batch.writeBigInt64BE(baseTimestamp, 27)
  batch.writeBigInt64BE(shape.maxTimestamp ?? maxTimestamp, 35)
  batch.writeBigInt64BE(shape.producerId ?? -1n, 43)
  batch.writeInt16BE(shape.producerEpoch ?? -1, 51)
  batch.writeInt32BE(shape.baseSequence ?? -1, 53)
  batch.writeInt32BE(shape.count ?? records.length, 57)
  return withChecksum(batch)
}

/** Makes the checksum right again after a change. */
export function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** The batches that `bytes` consist of; throws at anything odd. `decodePayload` decompresses. */
export function decodeBatches(
  bytes: Buffer,
  decodePayload: (attributes: number, payload: Buffer) => Buffer = (_, payload) => payload,
): PlainBatch[] {
  const batches: PlainBatch[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length) throw new Error(`a batch that ends at ${end} of ${bytes.length}`)
    batches.push(decodeBatch(bytes.subarray(at, end), decodePayload))
    at = end
  }
  return batches
}

function decodeBatch(batch: Buffer, decodePayload: (attributes: number, payload: Buffer) => Buffer): PlainBatch {
  if (batch.readInt8(16) !== 2) throw new Error(`magic ${batch.readInt8(16)}`)
  if (batch.readUInt32BE(17) !== crc32c(batch.subarray(21))) throw new Error('the checksum is wrong')
  const header = {
    baseOffset: batch.readBigInt64BE(0),
    leaderEpoch: batch.readInt32BE(12),
    attributes: batch.readInt16BE(21),
    lastOffsetDelta: batch.readInt32BE(23),
    baseTimestamp: batch.readBigInt64BE(27),
    maxTimestamp: batch.readBigInt64BE(35),
    producerId: batch.readBigInt64BE(43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
  }
  const reader = new PlainReader(decodePayload(header.attributes, batch.subarray(headerBytes)))
  const records: DigestRecord[] = []
  for (let left = batch.readInt32BE(57); left > 0; left--) {
    const length = Number(reader.varint())
    const end = reader.at + length
    reader.take(1)
    const timestamp = BigInt.asIntN(64, header.baseTimestamp + reader.varint())
    const offset = header.baseOffset + reader.varint()
    const key = reader.nullable()
    const value = reader.nullable()
    const headers: [Buffer, Buffer | null][] = []
    const count = reader.varint()
    if (count < 0n) throw new Error(`${count} headers`)
    for (let more = count; more > 0n; more--) {
      const name = reader.nullable()
      if (name === null) throw new Error('a header without a name')
      headers.push([name, reader.nullable()])
    }
    if (reader.at !== end) throw new Error(`a record that ends at ${reader.at} and says ${end}`)
    records.push({
      offset,
      timestamp: (header.attributes & appendTime) === 0 ? timestamp : header.maxTimestamp,
      key,
      value,
      headers,
    })
  }
  if (!reader.isAtEnd) throw new Error('bytes behind the last record')
  return { ...header, records }
}

function encodeRecord(record: DigestRecord, baseOffset: bigint, baseTimestamp: bigint): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    zigZag(BigInt.asIntN(64, record.timestamp - baseTimestamp)),
    zigZag(record.offset - baseOffset),
    nullable(record.key),
    nullable(record.value),
    zigZag(BigInt(record.headers.length)),
    ...record.headers.flatMap(([name, value]) => [nullable(name), nullable(value)]),
  ])
  return Buffer.concat([zigZag(BigInt(body.length)), body])
}

function nullable(bytes: Uint8Array | null): Buffer {
  return bytes === null ? zigZag(-1n) : Buffer.concat([zigZag(BigInt(bytes.length)), bytes])
}

/** A 64-bit integer as both Kafka's record format and Avro write it. */
export function zigZag(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128)
  return Buffer.from([...bytes, Number(rest)])
}

/** Reads what `zigZag` and length-prefixed bytes are made of; throws at the end of the bytes. */
export class PlainReader {
  readonly bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length
  }

  take(length: number): Buffer {
    const taken = this.bytes.subarray(this.at, this.at + length)
    if (length < 0 || taken.length < length) throw new Error(`${length} bytes where ${taken.length} are left`)
    this.at += length
    return taken
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(this.take(1)[0]!)
      value += (byte & 127n) << shift
      if (byte < 128n) break
    }
    return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n
  }

  /** Writers say −1 for null; the Java client takes any negative length for it. */
  nullable(): Buffer | null {
    const length = Number(this.varint())
    return length < 0 ? null : this.take(length)
  }
}

/** Castagnoli's polynomial, bits reversed. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78
  return crc >>> 0
})

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
