import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Disk } from '../../runtime/disk.ts'
import { isMissingFile } from '../../runtime/disk.ts'
import { decodeNotes } from './spool-notes.ts'
import type { SpoolHead, SpoolNote } from './spool-notes.ts'

const PIECE_BYTES = 1024 * 1024

/** A tile that an earlier owner of the spool began: all of it that is whole. */
export interface SpooledTile {
  readonly head: SpoolHead
  readonly notes: readonly SpoolNote[]
  /** The offset behind what they cover. */
  readonly to: number
  readonly found: { readonly bytes: number; readonly hash: Hash }
}

/**
 * Reads a tile back from its two files, as far as its blocks have the checksums that its notes tell, and cuts off what is
 * behind that: what a process was writing when it was killed, or what a power loss has left of it. Undefined when nothing is
 * whole. `path` is without the ending.
 */
export async function readSpooledTile(disk: Disk, path: string): Promise<SpooledTile | undefined> {
  const bytes = await disk.read(`${path}.notes`)
  const known = bytes === undefined ? undefined : decodeNotes(bytes)
  if (known === undefined) return undefined
  const { head } = known
  const hash = createHash('sha256')
  const notes: SpoolNote[] = []
  let fileBytes = 0
  let notesBytes = known.headBytes
  let { from: to } = head
  const blocks = new PieceReader(orNothing(disk.readPieces(`${path}.blocks`, PIECE_BYTES)))
  try {
    for (const { note, end } of known.notes) {
      if (note.kind === 'block') {
        const pieces = await blocks.next(note.bytes)
        if (pieces === undefined || pieces.reduce((crc, piece) => crc32(piece, crc), 0) !== note.crc) break
        for (const piece of pieces) hash.update(piece)
        fileBytes += note.bytes
      }
      to = note.kind === 'gap' ? note.gap.to : note.to
      notes.push(note)
      notesBytes = end
    }
  } finally {
    await blocks.close()
  }
  if (to === head.from) return undefined
  await disk.truncate(`${path}.blocks`, fileBytes)
  await disk.truncate(`${path}.notes`, notesBytes)
  return { head, notes, to, found: { bytes: fileBytes, hash } }
}

/** Cuts a stream of pieces anew, without copying. */
class PieceReader {
  readonly #source: AsyncIterator<Buffer>
  #left: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The next `bytes`, or undefined when there are fewer. */
  async next(bytes: number): Promise<Buffer[] | undefined> {
    const pieces: Buffer[] = []
    for (let missing = bytes; missing > 0;) {
      if (this.#left.length === 0) {
        const next = await this.#source.next()
        if (next.done === true) return undefined
        this.#left = next.value
      }
      const piece = this.#left.subarray(0, missing)
      this.#left = this.#left.subarray(piece.length)
      missing -= piece.length
      pieces.push(piece)
    }
    return pieces
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }
}

async function* orNothing(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* pieces
  } catch (error) {
    if (!isMissingFile(error)) throw error
  }
}
