import { DecodeError, readInteger } from '../batch/varint.ts'
import { headerPieces } from './avro-records.ts'
import type { RecordReader } from './avro-records.ts'
import type { RecordSpans } from './record-spans.ts'

/** A record taken apart, for eyes and comparisons: not for the way of many. Its buffers are views of the block. */
export interface PlainRecord {
  readonly offset: number
  readonly timestamp: number | bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: Buffer, value: Buffer | null])[]
}

/** The record that the spans describe in `bytes`. */
export function plainRecord(bytes: Buffer, spans: Readonly<RecordSpans>, reader: RecordReader): PlainRecord {
  return {
    offset: spans.offset,
    timestamp: spans.timestamp,
    key: nullable(bytes, spans.keyStart, spans.keyEnd),
    value: nullable(bytes, spans.valueStart, spans.valueEnd),
    headers: headerPieces(reader, { bytes, at: spans.headersStart }).map(piece => header(piece, reader)),
  }
}

function header(piece: Buffer, { hasNullableHeaders }: RecordReader): [Buffer, Buffer | null] {
  const cursor = { bytes: piece, at: 0 }
  const name = field(cursor)
  if (!hasNullableHeaders) return [name, field(cursor)]
  return [name, readInteger(cursor) === 0 ? null : field(cursor)]
}

function nullable(bytes: Buffer, start: number, end: number): Buffer | null {
  return start === end ? null : field({ bytes, at: start })
}

/** `length, bytes` at the cursor, which stands behind it then. */
function field(cursor: { readonly bytes: Buffer; at: number }): Buffer {
  const length = readInteger(cursor)
  const start = cursor.at
  cursor.at += length
  if (length < 0 || cursor.at > cursor.bytes.length) throw new DecodeError(`a field length of ${length}`)
  return cursor.bytes.subarray(start, cursor.at)
}
