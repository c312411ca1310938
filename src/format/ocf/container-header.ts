import { createHash } from 'node:crypto'
import { DecodeError, integerBytes, readInteger, writeInteger } from '../batch/varint.ts'
import type { Cursor } from '../batch/varint.ts'

/** Source: Avro 1.12 specification, "Object Container Files". */
const MAGIC = Buffer.from('Obj\u0001', 'latin1')
export const SYNC_BYTES = 16
/** Bounds for a header of unknown origin: ours take about 2 KiB. */
export const MAX_HEADER_BYTES = 64 * 1024
const MAX_HEADER_ENTRIES = 64
/** An entry that every header of ours has. */
const FORMAT_ENTRY = 'maxbrod.format'
/** The last entry of a header of ours: SHA-256 over the others, because nothing else would show a flipped bit there. */
const SEAL_ENTRY = 'maxbrod.header.sha256'

export interface ContainerHeader {
  readonly meta: ReadonlyMap<string, string>
  readonly sync: Buffer
  /** Length of the header: where the first block begins. */
  readonly bytes: number
}

/** The bytes of a container header: magic, metadata map, sync marker. A header of ours is sealed. */
export function encodeContainerHeader(meta: ReadonlyMap<string, string>, sync: Buffer): Buffer {
  const entries = [...meta]
  if (meta.has(FORMAT_ENTRY)) entries.push([SEAL_ENTRY, sealOf(meta, sync)])
  const fields = entries.flatMap(([name, value]) => [encodeBytes(name), encodeBytes(value)])
  const count = entries.length === 0 ? [] : [encodeInteger(entries.length)]
  const header = Buffer.concat([MAGIC, ...count, ...fields, encodeInteger(0), sync])
  if (header.length > MAX_HEADER_BYTES || entries.length > MAX_HEADER_ENTRIES)
    throw new DecodeError(`a container header of ${header.length} bytes`)
  return header
}

/** Over the lines `name=value` of all other entries in their order, then the sync marker. */
function sealOf(meta: ReadonlyMap<string, string>, sync: Buffer): string {
  const hash = createHash('sha256')
  for (const [name, value] of meta) if (name !== SEAL_ENTRY) hash.update(`${name}=${value}\n`)
  return hash.update(sync).digest('hex')
}

/**
 * The header at the beginning of a file, or undefined when `start` ends inside it and more may follow. Throws DecodeError
 * for bytes that cannot become a header, or one beyond the limits.
 */
export function parseContainerHeader(start: Buffer): ContainerHeader | undefined {
  const bytes = start.subarray(0, MAX_HEADER_BYTES)
  const isWhole = bytes.length === MAX_HEADER_BYTES
  if (!MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, MAGIC.length)))
    throw new DecodeError('no Avro container: the magic bytes are missing')
  try {
    return parse(bytes)
  } catch (error) {
    if (error instanceof Incomplete) {
      if (isWhole) throw new DecodeError(`a container header of more than ${MAX_HEADER_BYTES} bytes`)
      return undefined
    }
    throw error
  }
}

class Incomplete extends Error {}

function parse(bytes: Buffer): ContainerHeader {
  const cursor: Cursor = { bytes, at: MAGIC.length }
  const meta = new Map<string, string>()
  for (let entries = readCount(cursor); entries !== 0; entries = readCount(cursor)) {
    for (let left = entries; left > 0; left--) {
      if (meta.size >= MAX_HEADER_ENTRIES)
        throw new DecodeError(`a container header of more than ${MAX_HEADER_ENTRIES} entries`)
      const name = readText(cursor)
      if (meta.has(name)) throw new DecodeError(`the header entry ${name} twice`)
      meta.set(name, readText(cursor))
    }
  }
  const end = cursor.at + SYNC_BYTES
  if (end > bytes.length) throw new Incomplete()
  const sync = Buffer.from(bytes.subarray(cursor.at, end))
  if (meta.has(FORMAT_ENTRY) && meta.get(SEAL_ENTRY) !== sealOf(meta, sync))
    throw new DecodeError(`a container header whose ${SEAL_ENTRY} is not that of its entries`)
  return { meta, sync, bytes: end }
}

function readCount(cursor: Cursor): number {
  const count = readWhole(cursor)
  if (count < 0) readWhole(cursor) // the block's size in bytes, for readers that skip
  return Math.abs(count)
}

function readText(cursor: Cursor): string {
  const length = readWhole(cursor)
  if (length < 0 || length > MAX_HEADER_BYTES) throw new DecodeError(`a header entry of ${length} bytes`)
  const from = cursor.at
  cursor.at += length
  if (cursor.at > cursor.bytes.length) throw new Incomplete()
  return cursor.bytes.toString('utf8', from, cursor.at)
}

function readWhole(cursor: Cursor): number {
  // A varint has at most ten bytes; with fewer than that left, running over the end means that more must come.
  if (cursor.bytes.length - cursor.at >= 10) return readInteger(cursor)
  try {
    return readInteger(cursor)
  } catch {
    throw new Incomplete()
  }
}

function encodeBytes(text: string): Buffer {
  const content = Buffer.from(text)
  return Buffer.concat([encodeInteger(content.length), content])
}

function encodeInteger(value: number): Buffer {
  const bytes = Buffer.alloc(integerBytes(value))
  writeInteger(bytes, 0, value)
  return bytes
}
