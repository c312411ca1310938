import { AbortedFilter } from '../../format/batch/aborted.ts'
import { decompressPayload } from '../../format/batch/compression.ts'
import { batchesIn } from '../../format/batch/record-batch.ts'
import type { RecordBatch } from '../../format/batch/record-batch.ts'
import type { BlockPress } from '../../format/ocf/block-press.ts'
import { AvroBlock } from '../../format/transcode/avro-block.ts'
import { moveRecords, startMoving } from '../../format/transcode/to-avro.ts'
import type { BlockBounds } from '../../format/transcode/to-avro.ts'
import type { FetchedPartition } from '../../kafka/port/fetching.ts'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import type { Lease } from '../../runtime/byte-budget.ts'
import type { BatchFacts } from '../chain/draft-facts.ts'
import type { BlockHolder, WorkerMemory } from '../memory.ts'

/** Content of a block before compression. */
const BLOCK_BYTES = 1024 * 1024
/** A record may begin just below the mark. */
const BLOCK_SLACK_BYTES = 128 * 1024
const SMALL_BLOCK_BYTES = 32 * 1024

export interface IntakeOptions {
  readonly pool: BufferPool
  readonly memory: WorkerMemory
  /** Compresses the blocks: the next one is not begun before it has room. */
  readonly press: Pick<BlockPress, 'hasRoom' | 'room'>
  /** What the block that is being filled may hold; asked again and again, it may only grow while the block is open. */
  readonly bounds: () => BlockBounds
  /** Takes a finished block, whose records lie below `coversTo`, and calls `onReleased` once its memory is free. */
  readonly onBlock: (block: AvroBlock, coversTo: number, onReleased: () => void) => void
}

/**
 * Turns what was fetched of one partition into Avro blocks. Its position says up to where everything was taken, or is known
 * to hold nothing that was committed.
 */
export class Intake implements BlockHolder {
  readonly #options: IntakeOptions
  #position: number
  #last: BatchFacts
  #open: { readonly block: AvroBlock; readonly lease: Lease } | undefined
  #blockBytes = SMALL_BLOCK_BYTES
  /** Grows with each reset: what was under way before it is dropped. */
  #era = 0

  constructor(position: number, options: IntakeOptions, last: BatchFacts = { leaderEpoch: -1, codec: undefined }) {
    this.#last = last
    this.#position = position
    this.#options = options
  }

  get position(): number {
    return this.#position
  }

  get lastBatch(): BatchFacts {
    return this.#last
  }

  get openBytes(): number {
    return this.#open?.block.length ?? 0
  }

  /**
   * Takes the committed records of an answer, up to `barrier`. Returns how many, or undefined when a reset came in between:
   * then nothing of the answer counts. Throws DecodeError at a corrupt batch or record; the position stands behind the last
   * sound one then.
   */
  async take(
    { records, aborted }: Pick<FetchedPartition, 'records' | 'aborted'>,
    barrier: number,
  ): Promise<number | undefined> {
    const era = this.#era
    const filter = new AbortedFilter(aborted)
    let taken = 0
    for (const batch of batchesIn(records)) {
      batch.check()
      const isDropped = filter.drops(batch)
      if (batch.nextOffset <= this.#position) continue
      const codec = batch.isControl ? this.#last.codec : batch.codec
      this.#last = { leaderEpoch: batch.leaderEpoch, codec }
      if (!batch.isControl && !isDropped && batch.recordCount > 0) {
        const payload = batch.codec === 'none' ? batch.payload : await decompressPayload(batch.codec, batch.payload)
        // It is there already, and may be a thousand times what was fetched: the next fetch waits for it.
        using _ = batch.codec === 'none' ? undefined : this.#options.memory.budget.grant(payload.length)
        if (era !== this.#era) return undefined
        const moved = await this.#takeBatch(batch, payload, barrier)
        if (moved === undefined) return undefined
        taken += moved
      }
      this.#position = Math.min(batch.nextOffset, barrier)
      if (this.#position === barrier) break
    }
    return taken
  }

  /** Moves the position over offsets that hold nothing, or nothing any more. */
  skipTo(position: number): void {
    this.#position = position
    this.#last = { ...this.#last, leaderEpoch: -1 } // nobody said whose the last of them was
  }

  /** Hands on the block that is being filled, if there is one. */
  sealOpenBlock(): void {
    const open = this.#open
    if (open === undefined || open.block.records === 0) return
    this.#open = undefined
    this.#position = Math.max(this.#position, open.block.lastOffset + 1)
    this.#blockBytes =
      open.block.length >= BLOCK_BYTES
        ? BLOCK_BYTES + BLOCK_SLACK_BYTES
        : Math.max(open.block.length, SMALL_BLOCK_BYTES)
    this.#options.onBlock(open.block, open.block.lastOffset + 1, () => open.lease[Symbol.dispose]())
  }

  /** Drops what was not handed on and begins anew, behind a record of this leader epoch, if it is known. */
  reset(position: number, leaderEpoch = -1): void {
    this.#era++
    this.#last = { ...this.#last, leaderEpoch }
    this.#position = position
    this.#open?.block.release()
    this.#open?.lease[Symbol.dispose]()
    this.#open = undefined
  }

  /** Moves a batch's records into blocks; undefined when a reset came in between. */
  async #takeBatch(batch: RecordBatch, payload: Buffer, barrier: number): Promise<number | undefined> {
    const { press, bounds } = this.#options
    const era = this.#era
    const moving = startMoving(batch, payload)
    const window = { from: this.#position, to: barrier }
    let taken = 0
    for (;;) {
      // A megabyte that was compressed well becomes hundreds of blocks.
      if (!press.hasRoom) await press.room()
      if (era !== this.#era) return undefined
      const { block, lease } = this.#openBlock()
      const before = block.records
      try {
        const isBatchDone = moveRecords(moving, block, window, BLOCK_BYTES, bounds())
        taken += block.records - before
        lease.resize(block.bytes.length)
        if (!isBatchDone || block.length >= BLOCK_BYTES) this.sealOpenBlock()
        if (isBatchDone) return taken
      } catch (error) {
        this.#position = Math.max(this.#position, block.lastOffset + 1)
        throw error
      }
    }
  }

  #openBlock(): { readonly block: AvroBlock; readonly lease: Lease } {
    const { pool, memory } = this.#options
    this.#open ??= { block: new AvroBlock(pool, this.#blockBytes), lease: memory.budget.grant(this.#blockBytes) }
    return this.#open
  }
}
