import { DecodeError } from '../format/batch/varint.ts'
import type { TileKey } from '../format/keys.ts'
import { ContainerReader } from '../format/ocf/container-reader.ts'
import type { ContainerTotals } from '../format/ocf/container-reader.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { GetOptions, ObjectRead } from '../storage/port.ts'
import { decodedBlocks } from './decode-ahead.ts'
import type { DecodedBlock, ReadingLimits } from './decode-ahead.ts'
import { joined } from './join-blocks.ts'
import { corrupt, interpretHeader } from './tile-header-reader.ts'
import type { FileHeader } from './tile-header-reader.ts'

export interface TileSource {
  readonly store: FileStore
  readonly key: string
  /** What the header must say; undefined for a file that lies anywhere. */
  readonly place: TileKey | undefined
  /** The object must still be this one; undefined takes whatever is there. */
  readonly etag: string | undefined
}

/** All that is needed of a store to read a file in it. */
export interface FileStore {
  get(key: string, options: Pick<GetOptions, 'ifMatch' | 'signal'>): Promise<Pick<ObjectRead, 'body'>>
}

/**
 * Reads a data file block by block in bounded memory. The generator ends only when the file held exactly what its header
 * says; a truncated, altered or replaced file throws (OBJECT_CORRUPT, OBJECT_LIMIT, OBJECT_CHANGED) and never just ends.
 * `onHeader` gets the header before the first block. Blocks must be disposed of.
 */
export async function* readTileBlocks(
  source: TileSource,
  limits: ReadingLimits,
  onHeader: (header: FileHeader) => void = () => undefined,
): AsyncGenerator<DecodedBlock> {
  const { key } = source
  const read = await source.store.get(key, { ifMatch: source.etag, signal: limits.signal })
  try {
    const container = await ContainerReader.open(read.body, limits.pool)
    try {
      const header = interpretHeader(container.header, source.place)
      checkLimits(header, key, limits.maxRecordBytes)
      onHeader(header)
      yield* joined(decodedBlocks(container, header, limits))
      checkTotals(header, container.totals())
    } finally {
      await container.close()
    }
  } catch (error) {
    throw corrupt(key, error)
  }
}

function checkLimits(header: FileHeader, key: string, maxRecordBytes: number): void {
  if (header.kind !== 'maxbrod' || header.tile.content.recordBytesMax <= maxRecordBytes) return
  throw new MaxbrodError(
    'OBJECT_LIMIT',
    `${key} holds a record of ${header.tile.content.recordBytesMax} bytes, more than ${maxRecordBytes}`,
    {
      key,
      hint: 'raise --max-record-bytes',
    },
  )
}

function checkTotals(header: FileHeader, totals: ContainerTotals): void {
  if (header.kind !== 'maxbrod') return
  const { records, blocks, blocksBytes, blocksSha256 } = header.tile.content
  if (totals.blocks !== blocks)
    throw new DecodeError(`it has ${totals.blocks} of the ${blocks} blocks that its header promises`)
  if (totals.records !== records)
    throw new DecodeError(`it has ${totals.records} of the ${records} records that its header promises`)
  if (totals.bytes !== blocksBytes)
    throw new DecodeError(`it has ${totals.bytes} of the ${blocksBytes} bytes that its header promises`)
  if (totals.sha256 !== blocksSha256) throw new DecodeError('its bytes have another SHA-256 than its header promises')
}
