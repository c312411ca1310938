import type { SourceOffset } from '../format/batch/source-offsets.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { FoundRecord } from './translate.ts'

/** A restored record: where it is, and where it was. */
export interface Anchor {
  readonly offset: number
  readonly source: number
}

/**
 * Reads the records of the first batch that has any at `offset` or behind it; all of the batch, also what lies before `offset`.
 * Empty when there is none below `to`.
 */
export type ReadBatch = (offset: number, to: number) => Promise<readonly SourceOffset[]>

/**
 * Finds records of one target partition by their source offsets, in as few reads as possible. Both ascend from record to record,
 * and no two restored records have the same source offset: so between two records that are as far apart here as they were in
 * the source, every record is where it must be, and none of them needs to be read. Where compaction or transactions left gaps, a
 * search goes between the known records, and each batch that it reads answers for all that lies in it.
 */
export class SourceIndex {
  readonly #where: TopicPartition
  readonly #read: ReadBatch
  /** Known records, ascending. */
  #anchors: Anchor[] = []
  /** The batch that was read last. */
  #batch: readonly Anchor[] = []
  #start = 0
  #end = 0

  constructor(where: TopicPartition, read: ReadBatch) {
    this.#where = where
    this.#read = read
  }

  /** The last restored record, as of the last `extend`. */
  get last(): Anchor | undefined {
    return this.#anchors.at(-1)
  }

  /**
   * Says where the restored records begin and end now, and reads the first and the last one of them. A look that failed leaves
   * nothing behind: half of what is there would count as all of it.
   */
  async extend(start: number, end: number): Promise<void> {
    if (start === this.#start && end === this.#end) return
    const isLonger = start === this.#start && end > this.#end && this.#anchors.length > 0
    if (!isLonger) this.#forget()
    this.#start = start
    this.#end = end
    try {
      if (!isLonger) await this.#probe(start, end)
      await this.#findLast(start, end)
    } catch (error) {
      this.#forget()
      throw error
    }
  }

  #forget(): void {
    this.#anchors = []
    this.#batch = []
    this.#start = 0
    this.#end = 0
  }

  async #findLast(start: number, end: number): Promise<void> {
    // The last batch with records: behind it may be markers, and what compaction left empty.
    for (let step = 1, to = end; to > Math.max(start, (this.last?.offset ?? start) + 1); step *= 2) {
      const from = Math.max(start, to - step)
      let isFound = false
      for (let at = from; at < to && (await this.#probe(at, to)); at = (this.last?.offset ?? at) + 1) isFound = true
      if (isFound) return
      to = from
    }
  }

  /** The first record with a source offset of at least `source`; undefined when all are below. */
  async find(source: number): Promise<FoundRecord | undefined> {
    let { below, at, isAdjacent } = this.#around(source)
    /** No unknown record lies from here on to `at`, or to the end. */
    let free = at?.offset ?? (this.last?.offset ?? -1) + 1
    for (let n = 0; ; n++) {
      const from = (below?.offset ?? (this.#anchors[0]?.offset ?? free) - 1) + 1
      if (isAdjacent || from >= free) break
      if (below !== undefined && at !== undefined && at.source - below.source === at.offset - below.offset)
        return { offset: below.offset + (source - below.source), source, hasBefore: true }
      const middle = n % 2 === 0 ? guess(source, below, at, from, free) : Math.floor((from + free) / 2)
      if (await this.#probe(middle, free)) {
        const known = at?.offset
        ;({ below, at, isAdjacent } = this.#around(source))
        if (at !== undefined && at.offset !== known) free = at.offset
      } else free = middle
    }
    return at === undefined ? undefined : { ...at, hasBefore: below !== undefined }
  }

  /** The known records next to a source offset; adjacent ones have nothing between them. */
  #around(source: number): { below: Anchor | undefined; at: Anchor | undefined; isAdjacent: boolean } {
    const inBatch = neighbours(this.#batch, source)
    if (inBatch.below !== undefined && inBatch.at !== undefined) return { ...inBatch, isAdjacent: true }
    return { ...neighbours(this.#anchors, source), isAdjacent: false }
  }

  /** Reads a batch and remembers its ends; false when there is no record from `offset` on below `to`. */
  async #probe(offset: number, to: number): Promise<boolean> {
    if (offset >= to) return false
    const read = (await this.#read(offset, to)).filter(one => one.offset >= this.#start && one.offset < this.#end)
    const batch = read.map(one => this.#restored(one))
    const first = batch[0]
    const last = batch.at(-1)
    if (first === undefined || last === undefined || !batch.some(one => one.offset >= offset && one.offset < to))
      return false
    for (const [n, { source, offset: at }] of batch.entries())
      if (n > 0 && (batch[n - 1] as Anchor).source >= source) throw this.#disordered(at)
    this.#remember(first)
    this.#remember(last)
    this.#batch = batch
    return true
  }

  #restored({ offset, source }: SourceOffset): Anchor {
    if (source !== undefined) return { offset, source }
    const message = `${partitionName(this.#where)} holds a record at offset ${offset} that was not restored: it has no source offset`
    throw new MaxbrodError('TARGET_SPOILED', message, { ...this.#where, offset })
  }

  #remember(anchor: Anchor): void {
    const at = lowerBound(this.#anchors, anchor.source)
    const there = this.#anchors[at]
    if (there?.offset === anchor.offset) return
    if (there !== undefined && (there.offset < anchor.offset || there.source === anchor.source))
      throw this.#disordered(anchor.offset)
    if ((this.#anchors[at - 1]?.offset ?? -1) >= anchor.offset) throw this.#disordered(anchor.offset)
    this.#anchors.splice(at, 0, anchor)
  }

  #disordered(offset: number): MaxbrodError {
    const message = `the source offsets of ${partitionName(this.#where)} do not ascend at offset ${offset}`
    return new MaxbrodError('TARGET_SPOILED', message, { ...this.#where, offset })
  }
}

function neighbours(anchors: readonly Anchor[], source: number) {
  const at = lowerBound(anchors, source)
  return { below: anchors[at - 1], at: anchors[at] }
}

/** Where the first one with at least this source offset stands. */
function lowerBound(anchors: readonly Anchor[], source: number): number {
  let low = 0
  let high = anchors.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((anchors[middle] as Anchor).source < source) low = middle + 1
    else high = middle
  }
  return low
}

/** Where it would be if the gaps were spread evenly. */
function guess(source: number, below: Anchor | undefined, at: Anchor | undefined, from: number, to: number): number {
  if (below === undefined || at === undefined) return Math.floor((from + to) / 2)
  const share = (source - below.source) / (at.source - below.source)
  return Math.min(to - 1, Math.max(from, Math.floor(below.offset + share * (at.offset - below.offset))))
}
