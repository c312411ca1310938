import { createHash } from 'node:crypto'
import { corrupt } from '../../catalog/tile-header-reader.ts'
import { DecodeError } from '../../format/batch/varint.ts'
import type { GenerationFile } from '../../format/generation.ts'
import { parseTileKey } from '../../format/keys.ts'
import { must } from '../../runtime/assert.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { checkFile } from '../check-file.ts'
import type { FileReading, Visit } from '../check-file.ts'

/** What the files of a generation must hold. */
export interface Expected {
  readonly records: number
  /** SHA-256 over the bytes of all records. */
  readonly sha256: string
  /** Looks at each record as well; throws a DecodeError for one that does not belong there. */
  readonly visit?: Visit
}

/**
 * Reads back what was written, as a restore would: that each file is what its header says and has the bytes that were put, and
 * that all of them together hold exactly the expected records in their order. Throws OBJECT_CORRUPT.
 */
export async function proveGeneration(
  files: readonly GenerationFile[],
  { records, sha256, visit }: Expected,
  reading: FileReading,
): Promise<void> {
  const hash = createHash('sha256')
  let found = 0
  let end = files[0]?.from ?? 0
  for (const { key, from, to, sha256: put } of files) {
    const place = must(parseTileKey(key), key)
    const head = await reading.store.head(key, reading.signal)
    if (head === undefined) throw new MaxbrodError('OBJECT_MISSING', `${key} was put and is not there`, { key })
    const sound = await checkFile({ key, place, etag: head.etag }, reading, record => {
      hash.update(record.bytes.subarray(record.start, record.end))
      return visit?.(record)
    })
    if (sound.sha256 !== put || from !== end || sound.to !== to)
      throw corrupt(key, new DecodeError('it is not what was put there'))
    end = sound.to
    found += sound.records
  }
  const key = files.at(-1)?.key ?? ''
  if (found !== records) throw corrupt(key, new DecodeError(`${found} records were read back, of ${records} written`))
  if (hash.digest('hex') !== sha256)
    throw corrupt(key, new DecodeError('other records were read back than were written'))
}
