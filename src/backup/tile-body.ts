import { createHash } from 'node:crypto'
import { encodeContainerHeader } from '../format/ocf/container-header.ts'
import { contradictionIn, tileHeaderToMeta } from '../format/tile-header.ts'
import type { TileHeader } from '../format/tile-header.ts'
import { assert } from '../runtime/assert.ts'
import type { Disk } from '../runtime/disk.ts'
import type { ObjectBody } from '../storage/port.ts'
import type { TileDraft } from './tile-draft.ts'

const PIECE_BYTES = 1024 * 1024
/** Tiles up to this size are read once, into memory; larger ones are read again for each attempt. */
const IN_MEMORY_BYTES = 16 * 1024 * 1024

/** The object's bytes for a finished tile: the container's header in front of the blocks in the spool. */
export async function tileBody(disk: Disk, draft: TileDraft, header: TileHeader): Promise<ObjectBody> {
  const contradiction = contradictionIn(header)
  assert(contradiction === undefined, `a tile with ${contradiction}`)
  const start = encodeContainerHeader(tileHeaderToMeta(header), draft.sync)
  const bytes = start.length + draft.spooledBytes
  const hash = createHash('sha256').update(start)
  const kept: Buffer[] = [start]
  let read = 0
  for await (const piece of spoolPieces(disk, draft)) {
    hash.update(piece)
    read += piece.length
    if (bytes <= IN_MEMORY_BYTES) kept.push(piece)
  }
  assert(read === draft.spooledBytes, `${read} of ${draft.spooledBytes} bytes in spool file ${draft.spoolPath}`)
  const fromMemory = async function* () {
    yield* kept
  }
  const fromDisk = async function* () {
    yield start
    yield* spoolPieces(disk, draft)
  }
  return { bytes, sha256: hash.digest('hex'), open: bytes <= IN_MEMORY_BYTES ? fromMemory : fromDisk }
}

async function* spoolPieces(disk: Disk, draft: TileDraft): AsyncGenerator<Buffer> {
  if (draft.spooledBytes > 0) yield* disk.readPieces(draft.spoolPath, PIECE_BYTES)
}
