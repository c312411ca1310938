import { PlainReader, zigZag } from './plain-batch.ts'
import type { DigestRecord } from './records.ts'

/** Records as kafka-data-keep writes them, by the letter of the Avro specification: for what no writer of ours does. */
export interface DataKeepPlace {
  readonly topic: string
  readonly partition: number
}

/** How many headers go into each block of the map, a negative number for a block that says its size, too. */
export type MapBlocks = readonly number[]

/** Header values are bytes in that schema: a null is not possible. */
export interface DataKeepRecord extends DigestRecord {
  readonly headers: readonly (readonly [Uint8Array, Uint8Array])[]
}

export function encodeDataKeep(
  record: DataKeepRecord,
  { topic, partition }: DataKeepPlace,
  blocks?: MapBlocks,
): Buffer {
  return Buffer.concat([
    nullable(record.key),
    nullable(record.value),
    map(record.headers, blocks ?? [record.headers.length]),
    bytes(Buffer.from(topic)),
    zigZag(BigInt(partition)),
    zigZag(record.timestamp),
    zigZag(record.offset),
  ])
}

/** The records that `content` consists of, and where each says it belongs; throws at anything odd. */
export function decodeDataKeep(content: Buffer): (DataKeepRecord & DataKeepPlace)[] {
  const reader = new PlainReader(content)
  const records: (DataKeepRecord & DataKeepPlace)[] = []
  while (!reader.isAtEnd) {
    const key = readNullable(reader)
    const value = readNullable(reader)
    const headers: [Buffer, Buffer][] = []
    for (let count = reader.varint(); count !== 0n; count = reader.varint()) {
      if (count < 0n) reader.varint()
      for (let left = count < 0n ? -count : count; left > 0n; left--)
        headers.push([readBytes(reader), readBytes(reader)])
    }
    const topic = readBytes(reader).toString()
    const partition = Number(reader.varint())
    const timestamp = reader.varint()
    records.push({ key, value, headers, topic, partition, timestamp, offset: reader.varint() })
  }
  return records
}

function readNullable(reader: PlainReader): Buffer | null {
  const branch = reader.varint()
  if (branch !== 0n && branch !== 1n) throw new Error(`a union branch of ${branch}`)
  return branch === 0n ? null : readBytes(reader)
}

function readBytes(reader: PlainReader): Buffer {
  return reader.take(Number(reader.varint()))
}

function map(entries: DataKeepRecord['headers'], blocks: MapBlocks): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (const count of blocks) {
    const items = Buffer.concat(
      entries.slice(at, at + Math.abs(count)).flatMap(([name, value]) => [bytes(name), bytes(value)]),
    )
    at += Math.abs(count)
    if (count !== 0) parts.push(zigZag(BigInt(count)))
    if (count < 0) parts.push(zigZag(BigInt(items.length)))
    parts.push(items)
  }
  if (at !== entries.length) throw new Error(`${at} of ${entries.length} headers in the blocks of the map`)
  return Buffer.concat([...parts, zigZag(0n)])
}

function nullable(content: Uint8Array | null): Buffer {
  return content === null ? zigZag(0n) : Buffer.concat([zigZag(1n), bytes(content)])
}

function bytes(content: Uint8Array): Buffer {
  return Buffer.concat([zigZag(BigInt(content.length)), content])
}
