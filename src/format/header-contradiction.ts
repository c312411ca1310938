import { createHash } from 'node:crypto'
import { parseGenerationName } from './keys.ts'
import type { TileHeader } from './tile-header.ts'

/** Of the shortest record: offset, timestamp, two nulls, the end of its headers. */
const MIN_RECORD_BYTES = 5
/** Count and size of one byte each, the sync marker. */
const MIN_BLOCK_BYTES = 18
const SHA256_OF_NOTHING = createHash('sha256').digest('hex')

/** What cannot be true of a tile, or undefined: checked by who writes a header and by who reads one. */
export function contradictionIn(header: TileHeader): string | undefined {
  const { coversFrom, coversTo, origin, gaps, content, generation } = header
  const { records, firstOffset, lastOffset, timestampMin, timestampMax } = content
  if (!Number.isSafeInteger(coversTo)) return `an end of ${coversTo}`
  if (!/^[0-9a-f]{64}$/.test(content.blocksSha256)) return `a SHA-256 of ${content.blocksSha256}`
  if (coversTo <= coversFrom) return `covers ${coversFrom} to ${coversTo}`
  if (generation !== undefined) {
    const { name, from, to, sources } = generation
    if (parseGenerationName(name) === undefined) return `a generation of the name ${name}`
    if (from > coversFrom || to < coversTo)
      return `covers ${coversFrom} to ${coversTo} of a generation from ${from} to ${to}`
    if (sources < 1) return 'a generation that was made of nothing'
  }
  if (origin > coversFrom) return `an origin of ${origin} behind the tile's first offset ${coversFrom}`
  let gapOffsets = 0
  let end = coversFrom
  for (const { from, to } of gaps) {
    if (from < end || to <= from || to > coversTo)
      return `a gap from ${from} to ${to} in a tile from ${coversFrom} to ${coversTo}`
    gapOffsets += to - from
    end = to
  }
  if (records > coversTo - coversFrom - gapOffsets)
    return `${records} records on ${coversTo - coversFrom - gapOffsets} offsets`
  if (records === 0) {
    const isEmpty = content.blocks === 0 && content.blocksBytes === 0 && content.blocksSha256 === SHA256_OF_NOTHING
    return isEmpty && firstOffset === undefined ? undefined : 'blocks in a tile without records'
  }
  if (content.blocks < 1 || content.blocks > records) return `${records} records in ${content.blocks} blocks`
  if (content.blocksBytes < content.blocks * MIN_BLOCK_BYTES)
    return `${content.blocks} blocks in ${content.blocksBytes} bytes`
  if (timestampMin === undefined || timestampMax === undefined || content.timestampType === undefined)
    return `${records} records without the span of their timestamps`
  if (timestampMin > timestampMax) return `timestamps from ${timestampMin} to ${timestampMax}`
  if (content.recordBytesMax < MIN_RECORD_BYTES) return `a largest record of ${content.recordBytesMax} bytes`
  if (firstOffset === undefined || lastOffset === undefined) return `${records} records without first and last offset`
  if (firstOffset < coversFrom || lastOffset >= coversTo || lastOffset - firstOffset + 1 < records) {
    return `${records} records from ${firstOffset} to ${lastOffset} in a tile from ${coversFrom} to ${coversTo}`
  }
  return undefined
}
