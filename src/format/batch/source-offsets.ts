import type { RecordBatch } from './record-batch.ts'
import { DecodeError, readInteger, readLong } from './varint.ts'
import type { Cursor } from './varint.ts'

/** Where a restored record is, and where it was in the source; undefined for a record that nobody restored. */
export interface SourceOffset {
  readonly offset: number
  readonly source: number | undefined
}

const NAME = Buffer.from('restore.source-offset')
const MAX_DIGITS = 16
const ZERO = 0x30

/**
 * The source offsets of a batch's records, from its decompressed payload, without an object for anything else of them: a search
 * looks at whole batches. The last header of that name counts, if it is a whole number. Throws DecodeError.
 */
export function sourceOffsetsIn(batch: RecordBatch, payload: Buffer): SourceOffset[] {
  const cursor: Cursor = { bytes: payload, at: 0 }
  const { baseOffset, nextOffset } = batch
  const found: SourceOffset[] = []
  for (let n = batch.recordCount; n > 0; n--) {
    const length = readInteger(cursor)
    const end = cursor.at + length
    if (length < 0 || end > payload.length) throw new DecodeError(`a record length of ${length}`)
    cursor.at++ // attributes
    readLong(cursor) // timestamp
    const offset = baseOffset + readInteger(cursor)
    if (offset >= nextOffset || offset < baseOffset)
      throw new DecodeError(`offset ${offset} in a batch up to ${nextOffset}`)
    passBytes(cursor, end) // key
    passBytes(cursor, end) // value
    let source: number | undefined
    for (let left = readInteger(cursor); left > 0; left--) {
      const isOurs = isName(cursor, end)
      const from = passBytes(cursor, end)
      if (isOurs) source = wholeNumber(payload, from, cursor.at)
    }
    if (cursor.at !== end) throw new DecodeError(`a record of ${length} bytes that ends elsewhere`)
    found.push({ offset, source })
  }
  return found
}

/** Passes a header's name; true when it is the one. */
function isName(cursor: Cursor, end: number): boolean {
  const from = passBytes(cursor, end)
  return cursor.at - from === NAME.length && NAME.compare(cursor.bytes, from, cursor.at) === 0
}

/** Passes bytes, of which null has none; returns where they begin. */
function passBytes(cursor: Cursor, end: number): number {
  const length = Math.max(0, readInteger(cursor))
  const from = cursor.at
  cursor.at += length
  if (cursor.at > end) throw new DecodeError(`a field length of ${length}`)
  return from
}

/** Decimal text without signs and leading zeros. */
function wholeNumber(bytes: Buffer, from: number, to: number): number | undefined {
  const digits = to - from
  if (digits < 1 || digits > MAX_DIGITS || (digits > 1 && bytes[from] === ZERO)) return undefined
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return Number.isSafeInteger(value) ? value : undefined
}
