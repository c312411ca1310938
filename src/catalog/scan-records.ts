import { DecodeError } from '../format/batch/varint.ts'
import { dataKeepReader, recordReader } from '../format/transcode/avro-records.ts'
import type { RecordReader } from '../format/transcode/avro-records.ts'
import type { RecordSpans } from '../format/transcode/record-spans.ts'
import { newRecordSpans } from '../format/transcode/record-spans.ts'
import { readTileBlocks } from './tile-blocks.ts'
import type { ReadingLimits } from './decode-ahead.ts'
import type { TileSource } from './tile-blocks.ts'
import { corrupt } from './tile-header-reader.ts'
import type { FileHeader } from './tile-header-reader.ts'

/** A record of a file. Valid during the call only, and until the promise is kept that the call answers with. */
export interface ScannedRecord {
  readonly spans: Readonly<RecordSpans>
  /** The block that it stands in, and where. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly reader: RecordReader
}

/**
 * Reads a data file from its first record to its last, or until `take` answers 'enough': the rest is then not looked at.
 * `onHeader` gets the header before the first record. Throws OBJECT_CORRUPT when the file cannot be read to its end, holds
 * others' records, or offsets that do not ascend.
 */
export async function scanRecords(
  source: TileSource,
  limits: ReadingLimits,
  take: (record: ScannedRecord) => 'enough' | void | Promise<void>,
  onHeader: (header: FileHeader) => void = () => undefined,
): Promise<void> {
  const { key, place } = source
  const spans = newRecordSpans()
  let reader: RecordReader = recordReader
  let last = (place?.from ?? 0) - 1
  const begin = (header: FileHeader) => {
    if (header.kind !== 'maxbrod') reader = dataKeepReader(place?.topic, place?.partition)
    onHeader(header)
  }
  try {
    for await (const block of readTileBlocks(source, limits, begin)) {
      using _ = block
      const { bytes } = block
      const cursor = { bytes, at: 0 }
      for (let left = block.records; left > 0; left--) {
        const start = cursor.at
        reader.read(cursor, spans)
        if (spans.offset <= last) throw new DecodeError(`offset ${spans.offset} behind ${last}`)
        last = spans.offset
        const answer = take({ spans, bytes, start, end: cursor.at, reader })
        if (answer === 'enough') return
        if (answer !== undefined) await answer
      }
      if (cursor.at !== bytes.length) throw new DecodeError('bytes behind the last record of a block')
    }
  } catch (error) {
    throw corrupt(key, error)
  }
}
