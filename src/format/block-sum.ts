import type { BatchCodec } from './batch/record-batch.ts'
import type { TileContent, TimestampType } from './tile-header.ts'

/** What a tile's header needs to know of a block. */
export interface BlockFacts {
  readonly records: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly timestampMin: bigint
  readonly timestampMax: bigint
  readonly hasCreateTime: boolean
  readonly hasAppendTime: boolean
  readonly recordBytesMax: number
}

/** The facts of all blocks of a tile in one. */
export class BlockSum {
  #blocks = 0
  #records = 0
  #firstOffset: number | undefined
  #lastOffset: number | undefined
  #timestampMin: bigint | undefined
  #timestampMax: bigint | undefined
  #hasCreateTime = false
  #hasAppendTime = false
  #recordBytesMax = 0

  get records(): number {
    return this.#records
  }

  add(block: BlockFacts): void {
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
  }

  content(batchCodec: BatchCodec | undefined, blocksBytes: number, blocksSha256: string): TileContent {
    return {
      records: this.#records,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
      timestampMin: this.#timestampMin,
      timestampMax: this.#timestampMax,
      timestampType: this.#timestampType(),
      batchCodec,
      recordBytesMax: this.#recordBytesMax,
      blocks: this.#blocks,
      blocksBytes,
      blocksSha256,
    }
  }

  #timestampType(): TimestampType | undefined {
    if (this.#hasCreateTime) return this.#hasAppendTime ? 'mixed' : 'create'
    return this.#hasAppendTime ? 'append' : undefined
  }
}
