import { readTileBlocks } from '../catalog/tile-blocks.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import type { ListedTile } from '../catalog/tile-list.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { dataKeepReader } from '../format/transcode/avro-records.ts'
import { newRecordSpans } from '../format/transcode/record-spans.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { PlannerDeps } from './deps.ts'

/** What a file of kafka-data-keep holds: its header says nothing, so that it is read in full. */
export interface CountedFile {
  readonly records: number
  /** The offset behind the last record. */
  readonly to: number
  readonly recordBytesMax: number
}

const AHEAD_BYTES = 64 * 1024 * 1024

/** Counts the records of a file of kafka-data-keep. Throws OBJECT_CORRUPT when it cannot be read to its end, or holds others' records. */
export async function countDataKeepFile(
  { store, pool }: PlannerDeps,
  { key, etag, place }: ListedTile,
  maxRecordBytes: number,
  signal: AbortSignal,
): Promise<CountedFile> {
  const reader = dataKeepReader(place.topic, place.partition)
  const limits = { pool, budget: new ByteBudget(AHEAD_BYTES), maxRecordBytes, signal }
  const spans = newRecordSpans()
  let records = 0
  let last = place.from - 1
  let recordBytesMax = 0
  try {
    for await (const block of readTileBlocks({ store, key, place, etag }, limits)) {
      using _ = block
      const cursor = { bytes: block.bytes, at: 0 }
      for (let left = block.records; left > 0; left--) {
        const startsAt = cursor.at
        reader.read(cursor, spans)
        if (spans.offset <= last) throw new DecodeError(`offset ${spans.offset} behind ${last}`)
        last = spans.offset
        records++
        recordBytesMax = Math.max(recordBytesMax, cursor.at - startsAt)
      }
      if (cursor.at !== block.bytes.length) throw new DecodeError('bytes behind the last record of a block')
    }
  } catch (error) {
    throw corrupt(key, error)
  }
  return { records, to: last + 1, recordBytesMax }
}
