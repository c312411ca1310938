import { DecodeError, readInteger, readLong } from '../batch/varint.ts'
import type { Cursor } from '../batch/varint.ts'
import { copySpan } from './copy.ts'
import type { RecordSpans } from './record-spans.ts'

/** How the records of one kind of file are read. Both functions throw DecodeError when the bytes are no such record. */
export interface RecordReader {
  /** Passes the record at the cursor and fills `spans`. */
  read(cursor: Cursor, spans: RecordSpans): void
  /** True when a header value is a union branch with null, false when it is plain bytes. */
  readonly hasNullableHeaders: boolean
}

/** Records in maxbrod's own schema (docs/formats.md). */
export const recordReader: RecordReader = {
  hasNullableHeaders: true,
  read(cursor, spans) {
    spans.offset = readInteger(cursor)
    spans.timestamp = readLong(cursor)
    spans.keyStart = enterNullable(cursor)
    spans.keyEnd = cursor.at
    spans.valueStart = enterNullable(cursor)
    spans.valueEnd = cursor.at
    spans.headersStart = cursor.at
    spans.headers = skipHeaders(cursor, true)
  },
}

/**
 * Records of kafka-data-keep: key, value, headers (a map, whose wire form is names and values in order), topic,
 * partition, timestamp, offset. A record of another topic-partition is refused: the file is not what its name says. Without
 * a topic, every one is taken.
 */
export function dataKeepReader(topic: string | undefined, partition: number | undefined): RecordReader {
  const expected = topic === undefined ? undefined : Buffer.from(topic)
  return {
    hasNullableHeaders: false,
    read(cursor, spans) {
      spans.keyStart = enterNullable(cursor)
      spans.keyEnd = cursor.at
      spans.valueStart = enterNullable(cursor)
      spans.valueEnd = cursor.at
      spans.headersStart = cursor.at
      spans.headers = skipHeaders(cursor, false)
      const recordTopic = cursor.bytes.subarray(skipLength(cursor), cursor.at)
      if (expected?.equals(recordTopic) === false) throw new DecodeError(`a record of topic ${recordTopic.toString()}`)
      const recordPartition = readInteger(cursor)
      if (partition !== undefined && recordPartition !== partition)
        throw new DecodeError(`a record of partition ${recordPartition}`)
      spans.timestamp = readLong(cursor)
      spans.offset = readInteger(cursor)
    },
  }
}

/**
 * Bytes that the record's headers take in Kafka's form, count excluded. `cursor` stands at `headersStart`.
 */
export function kafkaHeaderBytes(reader: RecordReader, cursor: Cursor): number {
  let bytes = 0
  for (let items = readItemCount(cursor); items > 0; items = readItemCount(cursor)) {
    for (; items > 0; items--) {
      const nameStart = cursor.at
      skipField(cursor)
      bytes += cursor.at - nameStart
      const valueStart = enterValue(reader, cursor)
      bytes += valueStart === cursor.at ? 1 : cursor.at - valueStart
    }
  }
  return bytes
}

/** Copies the record's headers in Kafka's form, count excluded; returns the position behind them. */
export function copyHeaders(reader: RecordReader, cursor: Cursor, out: Buffer, at: number): number {
  for (let items = readItemCount(cursor); items > 0; items = readItemCount(cursor)) {
    for (; items > 0; items--) {
      const nameStart = cursor.at
      skipField(cursor)
      at = copySpan(cursor.bytes, nameStart, cursor.at, out, at)
      at = copyField(cursor.bytes, enterValue(reader, cursor), cursor.at, out, at)
    }
  }
  return at
}

/** The headers of a record as they stand in the file, name and value of each in one piece. `cursor` stands at `headersStart`. */
export function headerPieces(reader: RecordReader, cursor: Cursor): Buffer[] {
  const pieces: Buffer[] = []
  for (let items = readItemCount(cursor); items > 0; items = readItemCount(cursor)) {
    for (; items > 0; items--) {
      const start = cursor.at
      skipField(cursor)
      enterValue(reader, cursor)
      pieces.push(cursor.bytes.subarray(start, cursor.at))
    }
  }
  return pieces
}

/** The byte of a zig-zag −1: Kafka's length of null. */
const NULL_LENGTH = 0x01

/** Copies a nullable field in Kafka's form; returns the position behind it. */
export function copyField(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  if (start < end) return copySpan(bytes, start, end, out, at)
  out[at] = NULL_LENGTH
  return at + 1
}

function skipHeaders(cursor: Cursor, isNullable: boolean): number {
  let headers = 0
  for (let items = readItemCount(cursor); items > 0; items = readItemCount(cursor)) {
    headers += items
    for (; items > 0; items--) {
      skipField(cursor)
      if (isNullable) enterNullable(cursor)
      else skipField(cursor)
    }
  }
  return headers
}

function enterValue(reader: RecordReader, cursor: Cursor): number {
  if (reader.hasNullableHeaders) return enterNullable(cursor)
  const start = cursor.at
  skipField(cursor)
  return start
}

/** Passes a `["null","bytes"]` field; returns where its `length, bytes` begin, which is where it ends for null. */
function enterNullable(cursor: Cursor): number {
  const branch = cursor.bytes[cursor.at++]
  if (branch === 0x00) return cursor.at
  if (branch !== 0x02) throw new DecodeError(`a union branch of ${branch ?? 'nothing'}, where 0 or 2 must stand`)
  const start = cursor.at
  skipField(cursor)
  return start
}

/** Passes a `bytes` or `string` field. */
function skipField(cursor: Cursor): void {
  skipLength(cursor)
}

/** Kafka's lengths are varints of 32 bits: a longer one is legal in Avro, and no broker would take its copy. */
const MAX_LENGTH_BYTES = 5

/** Passes a `bytes` or `string` field; returns where its content begins. */
function skipLength(cursor: Cursor): number {
  const from = cursor.at
  const length = readInteger(cursor)
  const start = cursor.at
  cursor.at += length
  if (length < 0 || cursor.at > cursor.bytes.length || start - from > MAX_LENGTH_BYTES)
    throw new DecodeError(`a field length of ${length} in ${start - from} bytes`)
  return start
}

/** Items of the next block of an array or map; 0 ends it. A negative count is followed by the block's size in bytes. */
function readItemCount(cursor: Cursor): number {
  const count = readInteger(cursor)
  if (count >= 0) return count
  readInteger(cursor)
  return -count
}
