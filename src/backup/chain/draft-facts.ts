import type { BatchCodec } from '../../format/batch/record-batch.ts'
import type { Gap, TileContent } from '../../format/tile-header.ts'
import { assert } from '../../runtime/assert.ts'
import { BlockSum } from '../../format/block-sum.ts'
import type { BlockFacts } from '../../format/block-sum.ts'
import type { SpoolNote } from '../spool/spool-notes.ts'

/** Of the last batch taken, and whom it came from. */
export interface BatchFacts {
  /** −1 before the first. */
  readonly leaderEpoch: number
  readonly codec: BatchCodec | undefined
}

/** What a tile that is being filled covers, and what its header will say of it. */
export class DraftFacts {
  readonly gaps: Gap[] = []
  readonly #sum = new BlockSum()
  #to: number
  #leaderEpoch = -1
  #batchCodec: BatchCodec | undefined

  constructor(from: number) {
    this.#to = from
  }

  /** The offset behind what is covered. */
  get to(): number {
    return this.#to
  }

  get records(): number {
    return this.#sum.records
  }

  /** Of what lies before its end; −1 for unknown. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Of the batches in Kafka, the last one seen. */
  get batchCodec(): BatchCodec | undefined {
    return this.#batchCodec
  }

  /** Covers offsets up to `to`, which have no records of their own; `leaderEpoch` is that of the last of them, if known. */
  cover(to: number, leaderEpoch = -1): void {
    assert(to >= this.#to, `a tile that shrinks from ${this.#to} to ${to}`)
    if (to > this.#to) this.#leaderEpoch = leaderEpoch
    this.#to = to
  }

  /** Covers offsets that Kafka no longer has. */
  addGap(gap: Gap): void {
    this.gaps.push(gap)
    this.cover(gap.to)
  }

  /** Covers offsets up to `to`, the records of a block among them. */
  addBlock(block: BlockFacts, to: number, { leaderEpoch, codec }: BatchFacts): void {
    assert(block.records > 0 && block.lastOffset < to && block.firstOffset >= this.#to, 'a block outside of its tile')
    this.cover(to)
    this.#leaderEpoch = leaderEpoch
    this.#batchCodec = codec
    this.#sum.add(block)
  }

  /** The same as when the note was written. */
  recall(note: SpoolNote): void {
    if (note.kind === 'gap') this.addGap(note.gap)
    else if (note.kind === 'closed') this.cover(note.to, note.leaderEpoch)
    else this.addBlock(note, note.to, { leaderEpoch: note.leaderEpoch, codec: note.codec })
  }

  content(blocksBytes: number, blocksSha256: string): TileContent {
    return this.#sum.content(this.#batchCodec, blocksBytes, blocksSha256)
  }
}
