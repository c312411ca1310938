import { readTileBlocks } from '../catalog/tile-blocks.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { parseTileKey } from '../format/keys.ts'
import { dataKeepReader, recordReader } from '../format/transcode/avro-records.ts'
import type { RecordReader } from '../format/transcode/avro-records.ts'
import type { RecordSpans } from '../format/transcode/record-spans.ts'
import { newRecordSpans } from '../format/transcode/record-spans.ts'
import { must } from '../runtime/assert.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { PlannerDeps } from './deps.ts'

/** How files are read that a header does not tell enough of. */
export interface Scanning {
  readonly maxRecordBytes: number
  readonly signal: AbortSignal
}

/** A record of a file. Valid during the call only. */
export interface ScannedRecord {
  readonly spans: Readonly<RecordSpans>
  /** The block that it stands in, and where. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly reader: RecordReader
}

const AHEAD_BYTES = 64 * 1024 * 1024

/**
 * Reads a data file from its first record to its last. Throws OBJECT_CORRUPT when it cannot be read to its end, holds others'
 * records, or offsets that do not ascend.
 */
export async function scanFile(
  { store, pool }: Pick<PlannerDeps, 'store' | 'pool'>,
  { key, etag }: { readonly key: string; readonly etag: string },
  { maxRecordBytes, signal }: Scanning,
  take: (record: ScannedRecord) => void,
): Promise<void> {
  const place = must(parseTileKey(key), `the place of ${key}`)
  const limits = { pool, budget: new ByteBudget(AHEAD_BYTES), maxRecordBytes, signal }
  const spans = newRecordSpans()
  let header: FileHeader | undefined
  let last = place.from - 1
  try {
    for await (const block of readTileBlocks({ store, key, place, etag }, limits, read => (header = read))) {
      using _ = block
      const { bytes } = block
      const reader = header?.kind === 'maxbrod' ? recordReader : dataKeepReader(place.topic, place.partition)
      const cursor = { bytes, at: 0 }
      for (let left = block.records; left > 0; left--) {
        const start = cursor.at
        reader.read(cursor, spans)
        if (spans.offset <= last) throw new DecodeError(`offset ${spans.offset} behind ${last}`)
        last = spans.offset
        take({ spans, bytes, start, end: cursor.at, reader })
      }
      if (cursor.at !== bytes.length) throw new DecodeError('bytes behind the last record of a block')
    }
  } catch (error) {
    throw corrupt(key, error)
  }
}
