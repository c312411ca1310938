import { readTileBlocks } from '../catalog/tile-blocks.ts'
import type { FileStore } from '../catalog/tile-blocks.ts'
import type { ReadingLimits } from '../catalog/decode-ahead.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { parseTileKey } from '../format/keys.ts'
import type { PlanFile } from '../format/plan.ts'
import { dataKeepReader, recordReader } from '../format/transcode/avro-records.ts'
import { plainRecord } from '../format/transcode/plain-record.ts'
import type { PlainRecord } from '../format/transcode/plain-record.ts'
import { newRecordSpans } from '../format/transcode/record-spans.ts'
import { must } from '../runtime/assert.ts'

/**
 * The records that planned files of one partition hold, one by one, as the files have them: taken apart by other code than
 * the one that restores them. A record's buffers are gone with the next record. Throws OBJECT_CORRUPT and the like.
 */
export async function* plannedRecords(
  store: FileStore,
  files: readonly PlanFile[],
  limits: ReadingLimits,
): AsyncGenerator<PlainRecord> {
  const spans = newRecordSpans()
  for (const { object, source, covers, slice } of files) {
    const { key, etag } = object
    const place = must(parseTileKey(key), `the place of ${key}`)
    const from = slice?.fromOffset ?? covers.from
    const to = slice?.toOffset ?? covers.to
    let reader = recordReader
    let last = covers.from - 1
    try {
      const blocks = readTileBlocks({ store, key, place, etag }, limits, header => {
        if (header.kind !== 'maxbrod') reader = dataKeepReader(source.topic, source.partition)
      })
      for await (const block of blocks) {
        using _ = block
        const cursor = { bytes: block.bytes, at: 0 }
        for (let left = block.records; left > 0; left--) {
          reader.read(cursor, spans)
          if (spans.offset <= last) throw new DecodeError(`offset ${spans.offset} behind ${last}`)
          last = spans.offset
          if (spans.offset >= from && spans.offset < to) yield plainRecord(block.bytes, spans, reader)
        }
        if (cursor.at !== block.bytes.length) throw new DecodeError('bytes behind the last record of a block')
      }
    } catch (error) {
      throw corrupt(key, error)
    }
  }
}
