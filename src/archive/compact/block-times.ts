import type { TileHeader } from '../../format/tile-header.ts'
import type { AvroBlock } from '../../format/transcode/avro-block.ts'

/** The times of a block's records, seen one by one without making an object of each. */
export class BlockTimes {
  #min = Infinity
  #max = -Infinity
  #bigMin: bigint | undefined
  #bigMax: bigint | undefined

  begin(): void {
    this.#min = Infinity
    this.#max = -Infinity
    this.#bigMin = undefined
    this.#bigMax = undefined
  }

  see(timestamp: number | bigint): void {
    if (typeof timestamp === 'bigint') {
      if (this.#bigMin === undefined || timestamp < this.#bigMin) this.#bigMin = timestamp
      if (this.#bigMax === undefined || timestamp > this.#bigMax) this.#bigMax = timestamp
    } else {
      if (timestamp < this.#min) this.#min = timestamp
      if (timestamp > this.#max) this.#max = timestamp
    }
  }

  /** Tells the block what was seen since `begin`. */
  tell(block: AvroBlock): void {
    const times = [this.#bigMin, this.#bigMax, ...(this.#min <= this.#max ? [this.#min, this.#max] : [])]
    const all = times.flatMap(time => (time === undefined ? [] : [BigInt(time)]))
    const first = all[0] ?? 0n
    block.timestampMin = all.reduce((a, b) => (b < a ? b : a), first)
    block.timestampMax = all.reduce((a, b) => (b > a ? b : a), first)
  }

  /** A record does not say what its time means; its file does, for all that are in it. */
  takesType(block: AvroBlock, { content }: TileHeader): void {
    const type = content.timestampType
    if (type === 'create' || type === 'mixed') block.hasCreateTime = true
    if (type === 'append' || type === 'mixed') block.hasAppendTime = true
  }
}
