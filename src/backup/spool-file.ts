import { createHash } from 'node:crypto'
import type { ByteBudget, Lease } from '../runtime/byte-budget.ts'
import type { AppendFile, Disk } from '../runtime/disk.ts'

const PIECE_BYTES = 1024 * 1024

/**
 * The finished blocks of a tile, in a file of the working directory: just the blocks, because the container's header is
 * written last. What fits in a share of the memory is kept there as well, so that a tile that is uploaded soon need not be read
 * again. Kafka still has all of it: nothing is synced.
 */
export class SpoolFile {
  readonly path: string
  readonly #disk: Disk
  readonly #budget: ByteBudget
  readonly #hash = createHash('sha256')
  readonly #leases: Lease[] = []
  #kept: Buffer[] | undefined = []
  #file: AppendFile | undefined
  #sha256: string | undefined
  #bytes = 0

  constructor(disk: Disk, path: string, budget: ByteBudget) {
    this.#disk = disk
    this.path = path
    this.#budget = budget
  }

  get bytes(): number {
    return this.#bytes
  }

  /** SHA-256 of all bytes, hexadecimal. Nothing may be appended afterwards. */
  get sha256(): string {
    this.#sha256 ??= this.#hash.digest('hex')
    return this.#sha256
  }

  /** Appends pieces, which are kept as they are. One call at a time. */
  async append(pieces: readonly Buffer[]): Promise<void> {
    this.#file ??= await this.#disk.openAppend(this.path)
    await this.#file.append(pieces)
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    for (const piece of pieces) this.#hash.update(piece)
    this.#bytes += bytes
    this.#keep(pieces, bytes)
  }

  /** The bytes from the beginning, from memory or from the file. */
  async *pieces(): AsyncGenerator<Buffer> {
    if (this.#kept !== undefined) yield* this.#kept
    else if (this.#bytes > 0) yield* this.#disk.readPieces(this.path, PIECE_BYTES)
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
    this.#forget()
    await this.#close()
    await this.#disk.remove(this.path)
  }

  #keep(pieces: readonly Buffer[], bytes: number): void {
    if (this.#kept === undefined) return
    const lease = this.#budget.tryTake(bytes)
    if (lease === undefined) return this.#forget()
    this.#leases.push(lease)
    this.#kept.push(...pieces)
  }

  #forget(): void {
    this.#kept = undefined
    for (const lease of this.#leases.splice(0)) lease[Symbol.dispose]()
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}
