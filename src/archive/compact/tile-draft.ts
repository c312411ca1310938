import { createHash } from 'node:crypto'
import { frameBlock } from '../../format/ocf/block-frame.ts'
import { SYNC_BYTES, encodeContainerHeader } from '../../format/ocf/container-header.ts'
import { BlockSum } from '../../format/block-sum.ts'
import type { BlockFacts } from '../../format/block-sum.ts'
import type { TileContent, TileHeader } from '../../format/tile-header.ts'
import { contradictionIn } from '../../format/header-contradiction.ts'
import { tileHeaderToMeta } from '../../format/tile-header-meta.ts'
import { assert } from '../../runtime/assert.ts'
import type { AppendFile, Disk } from '../../runtime/disk.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { ObjectBody } from '../../storage/port.ts'
import type { BatchCodec } from '../../format/batch/record-batch.ts'

const PIECE_BYTES = 1024 * 1024

/** The blocks of a file that is being made, on the disk: its header is known when they are complete. */
export class DerivedDraft {
  /** 32 random hexadecimal digits. */
  readonly uploadId: string
  readonly from: number
  readonly #disk: Disk
  readonly #path: string
  readonly #sync: Buffer
  readonly #hash = createHash('sha256')
  readonly #sum = new BlockSum()
  #file: AppendFile | undefined
  #bytes = 0

  constructor(disk: Disk, path: string, uploadId: string, from: number) {
    this.#disk = disk
    this.#path = path
    this.uploadId = uploadId
    this.from = from
    this.#sync = Buffer.from(uploadId, 'hex').subarray(0, SYNC_BYTES)
  }

  get records(): number {
    return this.#sum.records
  }

  get bytes(): number {
    return this.#bytes
  }

  async append(facts: BlockFacts, compressed: Buffer): Promise<void> {
    if (this.#file === undefined) {
      await this.#disk.remove(this.#path)
      this.#file = await this.#disk.openAppend(this.#path)
    }
    const pieces = frameBlock(facts.records, compressed, this.#sync)
    await this.#file.append(pieces)
    for (const piece of pieces) {
      this.#hash.update(piece)
      this.#bytes += piece.length
    }
    this.#sum.add(facts)
  }

  /** What the header will say of the content. To be asked once, when nothing is added any more. */
  async finish(codec: BatchCodec | undefined): Promise<TileContent> {
    await this.#file?.close()
    return this.#sum.content(this.records === 0 ? undefined : codec, this.#bytes, this.#hash.digest('hex'))
  }

  /** The whole file. Throws DISK when the disk does not hold what was written to it. */
  async body(header: TileHeader): Promise<ObjectBody> {
    const contradiction = contradictionIn(header)
    assert(contradiction === undefined, `a file with ${contradiction}`)
    const start = encodeContainerHeader(tileHeaderToMeta(header), this.#sync)
    const hash = createHash('sha256').update(start)
    const blocks = createHash('sha256')
    for await (const piece of this.#pieces()) {
      hash.update(piece)
      blocks.update(piece)
    }
    if (blocks.digest('hex') !== header.content.blocksSha256)
      throw new MaxbrodError('DISK', `${this.#path} does not hold what was written to it`, {
        path: this.#path,
        hint: 'check the disk of --working-dir; nothing was lost, run the command again',
      })
    const pieces = () => this.#pieces()
    return {
      bytes: start.length + this.#bytes,
      sha256: hash.digest('hex'),
      async *open() {
        yield start
        yield* pieces()
      },
    }
  }

  async remove(): Promise<void> {
    await this.#disk.remove(this.#path)
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    if (this.#bytes > 0) yield* this.#disk.readPieces(this.#path, PIECE_BYTES)
  }
}
