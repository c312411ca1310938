import { frameBlock } from '../format/ocf/block-frame.ts'
import type { BlockPress } from '../format/ocf/block-press.ts'
import { SYNC_BYTES } from '../format/ocf/container-header.ts'
import type { Gap, TileContent, TimestampType } from '../format/tile-header.ts'
import type { BatchCodec } from '../format/batch/record-batch.ts'
import type { AvroBlock } from '../format/transcode/avro-block.ts'
import { assert } from '../runtime/assert.ts'
import { compressedAtMost } from './rotation.ts'
import type { SpoolFile } from './spool-file.ts'

export interface DraftOptions {
  readonly from: number
  /** 32 random hexadecimal digits. */
  readonly uploadId: string
  readonly spool: SpoolFile
  readonly press: BlockPress
  readonly openedAtMs: number
  /** Called after a block has been appended to the spool. */
  readonly onSpooled: () => void
  /** Called when it has failed: nothing that is added from then on is kept. */
  readonly onFailed: () => void
}

/** A tile being filled: finished blocks are compressed side by side and appended to its spool file in order. */
export class TileDraft {
  readonly from: number
  readonly uploadId: string
  readonly openedAtMs: number
  readonly sync: Buffer
  readonly spool: SpoolFile
  readonly gaps: Gap[] = []
  leaderEpoch = -1
  /** Of the batches in Kafka, the last one seen. */
  batchCodec: BatchCodec | undefined
  readonly #options: DraftOptions
  #to: number
  #blocks = 0
  #records = 0
  /** Of blocks that are still being compressed. */
  #pendingBytesAtMost = 0
  #firstOffset: number | undefined
  #lastOffset: number | undefined
  #timestampMin: bigint | undefined
  #timestampMax: bigint | undefined
  #hasCreateTime = false
  #hasAppendTime = false
  #recordBytesMax = 0
  #appended: Promise<void> = Promise.resolve()
  #failure: unknown
  #content: TileContent | undefined

  constructor(options: DraftOptions) {
    this.#options = options
    this.from = options.from
    this.#to = options.from
    this.uploadId = options.uploadId
    this.openedAtMs = options.openedAtMs
    this.spool = options.spool
    // Any 16 bytes do, as long as files differ; the upload id is random.
    this.sync = Buffer.from(options.uploadId, 'hex').subarray(0, SYNC_BYTES)
    assert(this.sync.length === SYNC_BYTES, 'an upload id of 32 hexadecimal digits')
  }

  /** The offset behind what finished blocks and `cover` have covered. */
  get to(): number {
    return this.#to
  }

  get records(): number {
    return this.#records
  }

  /** How many bytes its blocks have at most, however those compress that are on their way. */
  get bytesAtMost(): number {
    return this.spool.bytes + this.#pendingBytesAtMost
  }

  /** Covers offsets up to `to`, which have no records of their own. */
  cover(to: number): void {
    assert(to >= this.#to, `a tile that shrinks from ${this.#to} to ${to}`)
    this.#to = to
  }

  /** Takes a finished block, whose records lie below `coversTo`; it is released once it is compressed. */
  add(block: AvroBlock, coversTo: number, onReleased: () => void): void {
    assert(
      block.records > 0 && block.lastOffset < coversTo && block.firstOffset >= this.#to,
      'a block outside of its tile',
    )
    this.cover(coversTo)
    this.#blocks++
    this.#records += block.records
    this.#firstOffset ??= block.firstOffset
    this.#lastOffset = block.lastOffset
    if (this.#timestampMin === undefined || block.timestampMin < this.#timestampMin)
      this.#timestampMin = block.timestampMin
    if (this.#timestampMax === undefined || block.timestampMax > this.#timestampMax)
      this.#timestampMax = block.timestampMax
    this.#hasCreateTime ||= block.hasCreateTime
    this.#hasAppendTime ||= block.hasAppendTime
    this.#recordBytesMax = Math.max(this.#recordBytesMax, block.recordBytesMax)

    const { records } = block
    const bytesAtMost = compressedAtMost(block.length)
    this.#pendingBytesAtMost += bytesAtMost
    const compressing = this.#options.press.compress(block.content).finally(() => {
      block.release()
      onReleased()
    })
    const before = this.#appended
    this.#appended = (async () => {
      await before
      const compressed = await compressing
      if (this.#failure === undefined) await this.#append(frameBlock(records, compressed, this.sync), bytesAtMost)
    })().catch((error: unknown) => this.#fail(error))
  }

  /** Resolves when all blocks are in the spool; throws what went wrong with them. */
  async settled(): Promise<void> {
    await this.#appended
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What the header will say of the content. To be asked after `settled`, when nothing is added any more. */
  content(): TileContent {
    this.#content ??= {
      records: this.#records,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
      timestampMin: this.#timestampMin,
      timestampMax: this.#timestampMax,
      timestampType: this.#timestampType(),
      batchCodec: this.batchCodec,
      recordBytesMax: this.#recordBytesMax,
      blocks: this.#blocks,
      blocksBytes: this.spool.bytes,
      blocksSha256: this.spool.sha256,
    }
    return this.#content
  }

  /** Gives back what a tile holds that gets nothing for a while. */
  rest(): void {
    this.#appended = this.#appended.then(() => this.spool.rest()).catch((error: unknown) => this.#fail(error))
  }

  /** Closes the spool file: nothing is added any more, and many complete tiles may wait for their upload. */
  seal(): void {
    this.#appended = this.#appended.then(() => this.spool.seal()).catch((error: unknown) => this.#fail(error))
  }

  /** Removes the spool file once nothing writes to it any more. */
  async discard(): Promise<void> {
    await this.#appended
    await this.spool.remove()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#options.onFailed()
  }

  async #append(pieces: readonly Buffer[], bytesAtMost: number): Promise<void> {
    await this.spool.append(pieces)
    this.#pendingBytesAtMost -= bytesAtMost
    this.#options.onSpooled()
  }

  #timestampType(): TimestampType | undefined {
    if (this.#hasCreateTime) return this.#hasAppendTime ? 'mixed' : 'create'
    return this.#hasAppendTime ? 'append' : undefined
  }
}
