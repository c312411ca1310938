import { DecodeError } from '../format/batch/varint.ts'
import type { Gap, TileHeader } from '../format/tile-header.ts'

/** Compares a header with the records that follow it. Throws DecodeError. */
export class HeaderProof {
  readonly #tile: TileHeader
  #first: number | undefined
  #last: number | undefined
  #timestampMin: number | bigint | undefined
  #timestampMax: number | bigint | undefined
  #recordBytesMax = 0
  /** Gaps that end behind the records seen. */
  #gaps: readonly Gap[]

  constructor(tile: TileHeader) {
    this.#tile = tile
    this.#gaps = tile.gaps
  }

  add(offset: number, timestamp: number | bigint, bytes: number): void {
    const { coversFrom, coversTo } = this.#tile
    if (offset < coversFrom || offset >= coversTo)
      throw new DecodeError(`offset ${offset} in a file that covers ${coversFrom} to ${coversTo - 1}`)
    while (this.#gaps[0] !== undefined && this.#gaps[0].to <= offset) this.#gaps = this.#gaps.slice(1)
    const [gap] = this.#gaps
    if (gap !== undefined && offset >= gap.from)
      throw new DecodeError(`offset ${offset} in a gap that its header declares from ${gap.from} to ${gap.to - 1}`)
    this.#first ??= offset
    this.#last = offset
    // Numbers and bigints compare with each other as what they are.
    if (this.#timestampMin === undefined || timestamp < this.#timestampMin) this.#timestampMin = timestamp
    if (this.#timestampMax === undefined || timestamp > this.#timestampMax) this.#timestampMax = timestamp
    this.#recordBytesMax = Math.max(this.#recordBytesMax, bytes)
  }

  /** To be called behind the last record. */
  finish(): void {
    const { content } = this.#tile
    if (content.records === 0) return
    const found = [
      ['first offset', content.firstOffset, this.#first],
      ['last offset', content.lastOffset, this.#last],
      ['earliest timestamp', content.timestampMin, BigInt(this.#timestampMin ?? 0)],
      ['latest timestamp', content.timestampMax, BigInt(this.#timestampMax ?? 0)],
      ['largest record', content.recordBytesMax, this.#recordBytesMax],
    ] as const
    for (const [what, said, is] of found)
      if (said !== is) throw new DecodeError(`its header gives its ${what} as ${said}, and it is ${is}`)
  }
}
