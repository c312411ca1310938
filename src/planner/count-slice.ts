import { readTileBlocks } from '../catalog/tile-blocks.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import { parseTileKey } from '../format/keys.ts'
import { recordReader } from '../format/transcode/avro-records.ts'
import { newRecordSpans } from '../format/transcode/record-spans.ts'
import { must } from '../runtime/assert.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { PlannerDeps } from './deps.ts'
import type { SurveyedTile } from './survey.ts'

const AHEAD_BYTES = 64 * 1024 * 1024

/**
 * A file that was cut, with what is left of it: counts must be exact, so it is read. Throws OBJECT_CORRUPT when it cannot be
 * read to its end.
 */
export async function countSlice(
  { store, pool }: PlannerDeps,
  tile: SurveyedTile,
  maxRecordBytes: number,
  signal: AbortSignal,
): Promise<SurveyedTile> {
  const { key, etag, from, to } = tile
  if (tile.wholeTo === undefined || tile.dataEnd <= to) return tile
  const place = must(parseTileKey(key), `the place of ${key}`)
  const limits = { pool, budget: new ByteBudget(AHEAD_BYTES), maxRecordBytes, signal }
  const spans = newRecordSpans()
  let records = 0
  let dataEnd = from
  try {
    for await (const block of readTileBlocks({ store, key, place, etag }, limits)) {
      using _ = block
      const cursor = { bytes: block.bytes, at: 0 }
      for (let left = block.records; left > 0; left--) {
        recordReader.read(cursor, spans)
        if (spans.offset >= to) continue
        records++
        dataEnd = spans.offset + 1
      }
    }
  } catch (error) {
    throw corrupt(key, error)
  }
  return { ...tile, records, dataEnd }
}
