import { createHash } from 'node:crypto'
import { encodeContainerHeader } from '../../format/ocf/container-header.ts'
import { contradictionIn } from '../../format/header-contradiction.ts'
import { tileHeaderToMeta } from '../../format/tile-header-meta.ts'
import type { TileHeader } from '../../format/tile-header.ts'
import { assert } from '../../runtime/assert.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { ObjectBody } from '../../storage/port.ts'
import type { TileDraft } from './tile-draft.ts'

/** Tiles up to this size are read once, into memory; larger ones are read again for each attempt. */
export const HELD_BYTES_MAX = 16 * 1024 * 1024

/**
 * The object's bytes for a finished tile: the container's header in front of the blocks in the spool. Throws DISK when the
 * spool file does not hold what was written to it.
 */
export async function tileBody({ spool, sync }: TileDraft, header: TileHeader): Promise<ObjectBody> {
  const contradiction = contradictionIn(header)
  assert(contradiction === undefined, `a tile with ${contradiction}`)
  const start = encodeContainerHeader(tileHeaderToMeta(header), sync)
  const bytes = start.length + spool.bytes
  const isHeld = spool.isKept || bytes <= HELD_BYTES_MAX
  const hash = createHash('sha256').update(start)
  const blocksHash = createHash('sha256')
  const held: Buffer[] = [start]
  for await (const piece of spool.pieces()) {
    hash.update(piece)
    if (!spool.isKept) blocksHash.update(piece)
    if (isHeld) held.push(piece)
  }
  if (!spool.isKept && blocksHash.digest('hex') !== spool.sha256) throw spoolDamaged(spool.path)
  const fromMemory = async function* () {
    yield* held
  }
  const fromDisk = async function* () {
    yield start
    yield* spool.pieces()
  }
  return { bytes, sha256: hash.digest('hex'), open: isHeld ? fromMemory : fromDisk }
}

function spoolDamaged(path: string): MaxbrodError {
  return new MaxbrodError('DISK', `spool file ${path} does not hold what was written to it`, {
    path,
    hint: 'its records are read from Kafka again; check the disk of --working-dir',
  })
}
