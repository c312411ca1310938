import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { BatchBuilder } from '../batch/batch-builder.ts'
import { BATCH_HEADER_BYTES } from '../batch/record-batch.ts'
import { DecodeError, integerBytes, writeInteger } from '../batch/varint.ts'
import type { Cursor } from '../batch/varint.ts'
import { copyField, copyHeaders, kafkaHeaderBytes } from './avro-records.ts'
import type { RecordReader } from './avro-records.ts'
import { newRecordSpans } from './record-spans.ts'
import { SourceOffsetWriter } from './source-offset.ts'

/** What a header `restore.source-offset`, the length and the deltas add to a record, at most. */
const RECORD_GROWTH_BYTES = 64

/** Of a record in its shortest Avro form: an offset, a timestamp, two nulls and the end of its headers. */
const MIN_RECORD_BYTES = 5

/** The records of one Avro block that are wanted. */
export interface BlockSlice {
  readonly bytes: Buffer
  /** What the block's count says. */
  readonly records: number
  /** Only records with `fromOffset` ≤ offset < `toOffset` are wanted; the others are checked all the same. */
  readonly fromOffset: number
  readonly toOffset: number
  /** So many of the wanted records are left out: the target has them. */
  readonly skip: number
  /** No offset of the block may lie at or below this one, nor at or behind `coversTo`. */
  readonly after: number
  readonly coversTo: number
}

/** What became of a block. */
export interface TakenBlock {
  readonly batches: readonly FilledBatch[]
  /** Wanted records in the block, those that were skipped included. */
  readonly wanted: number
  /** Source offset of the last record that was skipped; undefined when none was. */
  readonly lastSkipped: number | undefined
  /** Source offset of the block's last record; `after` for a block without records. */
  readonly lastOffset: number
}

/** A batch made of a block, and which source offsets it carries. */
export interface FilledBatch {
  readonly builder: BatchBuilder
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * Turns a block's records into batches of at most `batchBytes` (a single larger record gets a batch of its own), each
 * record with its source offset as last header. The whole block is checked: nothing is returned unless all of it is sound.
 * Throws DecodeError; batches built so far are released then.
 */
export function blockToBatches(
  slice: BlockSlice,
  reader: RecordReader,
  batchBytes: number,
  pool: BufferPool,
): TakenBlock {
  if (slice.records * MIN_RECORD_BYTES > slice.bytes.length)
    throw new DecodeError(`${slice.records} records in a block of ${slice.bytes.length} bytes`)
  const cursor: Cursor = { bytes: slice.bytes, at: 0 }
  const spans = newRecordSpans()
  const sourceOffset = new SourceOffsetWriter()
  const balance = new Balance(slice, batchBytes)
  let capacity = 0
  const batches: { builder: BatchBuilder; firstOffset: number; lastOffset: number }[] = []
  let batch = batches[0]
  let previous = slice.after
  let wanted = 0
  let lastSkipped: number | undefined
  try {
    for (let left = slice.records; left > 0; left--) {
      const startsAt = cursor.at
      reader.read(cursor, spans)
      const { offset, headers } = spans
      if (offset <= previous || offset >= slice.coversTo) {
        throw new DecodeError(`offset ${offset}, where one above ${previous} and below ${slice.coversTo} must stand`)
      }
      previous = offset
      if (offset < slice.fromOffset || offset >= slice.toOffset) continue
      if (wanted++ < slice.skip) {
        lastSkipped = offset
        continue
      }

      let bodyBytes = fieldBytes(spans.keyStart, spans.keyEnd) + fieldBytes(spans.valueStart, spans.valueEnd)
      bodyBytes += integerBytes(headers + 1) + sourceOffset.set(offset)
      if (headers > 0) bodyBytes += kafkaHeaderBytes(reader, { bytes: slice.bytes, at: spans.headersStart })
      if (batch === undefined || batch.builder.length + bodyBytes + RECORD_GROWTH_BYTES > capacity) {
        capacity = balance.next(startsAt, batch?.builder.length)
        batch = { builder: new BatchBuilder(pool, capacity), firstOffset: offset, lastOffset: offset }
        batches.push(batch)
      }
      const { builder } = batch
      let at = builder.begin(spans.timestamp, bodyBytes)
      const out = builder.bytes
      at = copyField(slice.bytes, spans.keyStart, spans.keyEnd, out, at)
      at = copyField(slice.bytes, spans.valueStart, spans.valueEnd, out, at)
      at = writeInteger(out, at, headers + 1)
      if (headers > 0) at = copyHeaders(reader, { bytes: slice.bytes, at: spans.headersStart }, out, at)
      builder.length = sourceOffset.write(out, at)
      batch.lastOffset = offset
    }
    if (cursor.at !== slice.bytes.length) throw new DecodeError('bytes behind the last record of a block')
  } catch (error) {
    for (const { builder } of batches) builder.release()
    throw error
  }
  return { batches, wanted, lastSkipped, lastOffset: previous }
}

/** What a record grows by, as long as nothing is known: the header with its source offset less what Avro takes more. */
const EXPECTED_GROWTH_BYTES = 32

/** Makes batches about equally large, rather than full ones and a crumb; learns from each how much the records grow. */
class Balance {
  readonly #batchBytes: number
  readonly #blockBytes: number
  #growth: number
  #startedAt = 0

  constructor({ bytes, records }: BlockSlice, batchBytes: number) {
    this.#batchBytes = batchBytes
    this.#blockBytes = bytes.length
    this.#growth = 1 + (records * EXPECTED_GROWTH_BYTES) / bytes.length
  }

  /** How large the batch may become whose first record starts here; `madeBytes` is what became of the one before it. */
  next(startsAt: number, madeBytes: number | undefined): number {
    if (madeBytes !== undefined) this.#growth = madeBytes / (startsAt - this.#startedAt)
    this.#startedAt = startsAt
    const expected = (this.#blockBytes - startsAt) * this.#growth + BATCH_HEADER_BYTES
    const batches = Math.ceil(expected / this.#batchBytes)
    return Math.min(this.#batchBytes, Math.ceil(expected / batches) + RECORD_GROWTH_BYTES)
  }
}

function fieldBytes(start: number, end: number): number {
  return start < end ? end - start : 1
}
