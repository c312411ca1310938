import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import type { ByteBudget, Lease } from '../../runtime/byte-budget.ts'
import { isDiskFull } from '../../runtime/disk.ts'
import type { OpenFiles } from './open-files.ts'

const PIECE_BYTES = 1024 * 1024

export interface SpoolFileOptions {
  readonly files: OpenFiles
  /** Without the ending. */
  readonly path: string
  /** Bounds what is kept in memory as well. */
  readonly budget: ByteBudget
  /** Goes in front of the first note. */
  readonly head: Buffer
  /** The disk is full: what comes from now on is held in memory, so that the tile can be uploaded as it is. */
  readonly onFull: (error: unknown) => void
  /** What an earlier process has written. */
  readonly found?: { readonly bytes: number; readonly hash: Hash }
}

/**
 * The finished blocks of a tile, in a file of the working directory: just the blocks, because the container's header is
 * written last. Beside it lie notes of what they are, so that another process can go on with them. What fits in a share of the
 * memory is kept there as well, so that a tile that is uploaded soon need not be read again. Nothing is synced: Kafka still has
 * all of it, and checksums tell what a power loss has left.
 */
export class SpoolFile {
  readonly path: string
  readonly #options: SpoolFileOptions
  readonly #notesPath: string
  readonly #hash: Hash
  readonly #leases: Lease[] = []
  #kept: Buffer[] | undefined
  #sha256: string | undefined
  #bytes: number
  /** How many of them are in the file; the rest is the tail. */
  #fileBytes: number
  #tail: { readonly pieces: Buffer[]; readonly lease: Lease } | undefined
  #hasHead: boolean
  #takesNotes = true

  constructor(options: SpoolFileOptions) {
    const { found } = options
    this.#options = options
    this.path = `${options.path}.blocks`
    this.#notesPath = `${options.path}.notes`
    this.#hash = found?.hash ?? createHash('sha256')
    this.#bytes = found?.bytes ?? 0
    this.#fileBytes = this.#bytes
    this.#hasHead = found !== undefined
    this.#kept = found === undefined ? [] : undefined
  }

  get bytes(): number {
    return this.#bytes
  }

  /** SHA-256 of all bytes, hexadecimal. Nothing may be appended afterwards. */
  get sha256(): string {
    this.#sha256 ??= this.#hash.digest('hex')
    return this.#sha256
  }

  /** Appends pieces, which are kept as they are, and says what they are. One call of `append` or `note` at a time. */
  async append(pieces: readonly Buffer[], note: Buffer): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (this.#tail === undefined) await this.#write(pieces, bytes)
    for (const piece of pieces) this.#hash.update(piece)
    this.#bytes += bytes
    if (this.#tail === undefined) this.#fileBytes = this.#bytes
    else {
      this.#tail.pieces.push(...pieces)
      this.#tail.lease.resize(this.#bytes - this.#fileBytes)
    }
    this.#keep(pieces, bytes)
    await this.note(note)
  }

  /** Says something about the tile. Notes that find no room are left out, and so are those behind them: they would mislead. */
  async note(line: Buffer): Promise<void> {
    if (!this.#takesNotes) return
    const { files, head, onFull } = this.#options
    try {
      await files.append(this.#notesPath, this.#hasHead ? [line] : [head, line])
      this.#hasHead = true
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#takesNotes = false
      onFull(error)
    }
  }

  /** The bytes from the beginning, from memory or from the file. */
  async *pieces(): AsyncGenerator<Buffer> {
    if (this.#kept !== undefined) return yield* this.#kept
    let left = this.#fileBytes
    if (left > 0) {
      for await (const piece of this.#options.files.disk.readPieces(this.path, PIECE_BYTES)) {
        yield piece.subarray(0, left)
        left -= Math.min(left, piece.length)
        if (left === 0) break
      }
    }
    if (this.#tail !== undefined) yield* this.#tail.pieces
  }

  /** True when `pieces` comes from memory. */
  get isKept(): boolean {
    return this.#kept !== undefined
  }

  /** Closes the file: it is complete. What is kept in memory stays there. */
  async seal(): Promise<void> {
    await this.#close()
  }

  /** Closes the file until more is appended, and gives the memory back: nothing comes for a while. */
  async rest(): Promise<void> {
    this.#forget()
    await this.#close()
  }

  /** Removes the file. */
  async remove(): Promise<void> {
    const { disk } = this.#options.files
    this.#forget()
    this.#tail?.lease[Symbol.dispose]()
    await this.#close()
    // Without its notes a file is void; notes without their file would be a tile without records.
    await disk.remove(this.#notesPath)
    await disk.remove(this.path)
  }

  async #write(pieces: readonly Buffer[], bytes: number): Promise<void> {
    const { files, budget, onFull } = this.#options
    try {
      await files.append(this.path, pieces)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#tail = { pieces: [], lease: budget.grant(bytes) }
      this.#takesNotes = false
      await files.disk.truncate(this.path, this.#fileBytes).catch(() => undefined) // what is behind is never read
      onFull(error)
    }
  }

  #keep(pieces: readonly Buffer[], bytes: number): void {
    if (this.#kept === undefined) return
    const lease = this.#options.budget.tryTake(bytes)
    if (lease === undefined) return this.#forget()
    this.#leases.push(lease)
    this.#kept.push(...pieces)
  }

  #forget(): void {
    this.#kept = undefined
    for (const lease of this.#leases.splice(0)) lease[Symbol.dispose]()
  }

  async #close(): Promise<void> {
    const { files } = this.#options
    await files.close(this.path)
    await files.close(this.#notesPath)
  }
}
