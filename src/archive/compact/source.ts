import type { ListedTile } from '../../catalog/tile-list.ts'
import type { GenerationFile } from '../../format/generation.ts'
import type { TileHeader } from '../../format/tile-header.ts'
import { checkFile } from '../check-file.ts'
import type { FileReading, Visit } from '../check-file.ts'

/** A file that a generation is made of, and what of it counts: offsets `from` ≤ o < `to`. */
export interface Source extends Pick<ListedTile, 'key' | 'place' | 'etag' | 'bytes'> {
  readonly header: TileHeader
  readonly from: number
  readonly to: number
}

/**
 * Reads a source from its first byte to its last, and shows the records that count. Throws OBJECT_CORRUPT, OBJECT_CHANGED,
 * OBJECT_MISSING, OBJECT_LIMIT when the file is not what it says.
 */
export async function readSource(source: Source, reading: FileReading, visit: Visit): Promise<GenerationFile> {
  const { key, from, to, bytes } = source
  let records = 0
  const { sha256, storedSha256 } = await checkFile(source, reading, record => {
    const { offset } = record.spans
    if (offset < from || offset >= to) return undefined
    records++
    return visit(record)
  })
  return { key, from, to, records, bytes, sha256, ...(storedSha256 !== undefined && { storedSha256 }) }
}
