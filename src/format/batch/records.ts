import type { RecordBatch } from './record-batch.ts'
import { DecodeError, readBigInteger, readInteger } from './varint.ts'
import type { Cursor } from './varint.ts'

/** One record as an object: for the few that are looked at one by one (tails, the plan topic), never for bulk data. */
export interface KafkaRecord {
  readonly offset: number
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly KafkaHeader[]
}

export interface KafkaHeader {
  readonly key: Buffer
  readonly value: Buffer | null
}

/**
 * The records of a batch, from its decompressed payload. Throws DecodeError.
 * Source: Kafka documentation, "Record" (magic 2).
 */
export function* recordsIn(batch: RecordBatch, payload: Buffer): Generator<KafkaRecord> {
  const cursor: Cursor = { bytes: payload, at: 0 }
  const { baseOffset, nextOffset, baseTimestamp, maxTimestamp, isAppendTime } = batch
  let previous = baseOffset - 1
  for (let n = batch.recordCount; n > 0; n--) {
    const length = readInteger(cursor)
    const end = cursor.at + length
    if (length < 0 || end > payload.length) throw new DecodeError(`a record length of ${length}`)
    cursor.at++ // attributes: no bit is defined for records
    const timestampDelta = readBigInteger(cursor)
    const offset = baseOffset + readInteger(cursor)
    if (offset <= previous || offset >= nextOffset)
      throw new DecodeError(`offset ${offset} behind ${previous} in a batch that ends at ${nextOffset}`)
    previous = offset
    const key = readBytes(cursor, end)
    const value = readBytes(cursor, end)
    const headers: KafkaHeader[] = []
    const count = readInteger(cursor)
    if (count < 0) throw new DecodeError(`a header count of ${count}`)
    for (let left = count; left > 0; left--) {
      const name = readBytes(cursor, end)
      if (name === null) throw new DecodeError('a header without a name')
      headers.push({ key: name, value: readBytes(cursor, end) })
    }
    if (cursor.at !== end) throw new DecodeError(`a record of ${length} bytes that ends elsewhere`)
    const timestamp = isAppendTime ? maxTimestamp : BigInt.asIntN(64, baseTimestamp + timestampDelta)
    yield { offset, timestamp, key, value, headers }
  }
  if (cursor.at !== payload.length) throw new DecodeError('bytes behind the last record of a batch')
}

/** Any negative length is null to Kafka's own reader, so records with −2 exist. */
function readBytes(cursor: Cursor, end: number): Buffer | null {
  const length = readInteger(cursor)
  if (length < 0) return null
  const from = cursor.at
  cursor.at += length
  if (cursor.at > end) throw new DecodeError(`a field length of ${length}`)
  return cursor.bytes.subarray(from, cursor.at)
}
