import type { PlanFile } from '../format/plan.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'

/** The part of a target partition that comes from one source partition, by the plan. */
export interface PlannedStretch {
  /** Offsets in the target, closed-open. */
  readonly from: number
  readonly to: number
  /** The source offset behind all that was planned; undefined when nothing was. */
  readonly coverEnd: number | undefined
}

export interface SourcePartition {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number
}

/**
 * `mixed` when another partition was restored into the same one: no single offset says where to go on in both. `another incarnation`
 * when the topic was deleted and created again between what was saved and what was restored: the offset means nothing there.
 */
export type Untranslatable = 'mixed' | 'another incarnation'

type Planned = Pick<PlanFile, 'source' | 'records' | 'recordsBefore' | 'covers' | 'slice'>

/**
 * What is planned for one target partition, by the incarnations that it comes from. Summed up as the files come: a plan has many,
 * and every saved offset asks.
 */
export class PlannedRecords {
  readonly #sources = new PartitionMap<true>()
  /** Records of the chain, counted from its beginning; by topic id, undefined for files without one. */
  readonly #byId = new Map<string | undefined, { from: number; to: number; coverEnd: number }>()
  #lastId: string | undefined

  /** The next file of the chain. */
  add({ source, records, recordsBefore, covers, slice }: Planned): void {
    const to = recordsBefore + records
    const coverEnd = slice?.toOffset ?? covers.to
    const known = this.#byId.get(source.topicId)
    this.#sources.set(source, true)
    this.#lastId = source.topicId
    if (known === undefined) {
      this.#byId.set(source.topicId, { from: recordsBefore, to, coverEnd })
      return
    }
    known.to = to
    known.coverEnd = Math.max(known.coverEnd, coverEnd)
  }

  /** Where the records of a source partition are, when the first record of the chain is at `base`. */
  stretchOf(source: SourcePartition, base: number): PlannedStretch | Untranslatable {
    if (this.#sources.size === 0) return { from: base, to: base, coverEnd: undefined }
    if (this.#sources.size > 1 || !this.#sources.has(source)) return 'mixed'
    // Offsets that were saved without an id, or are in files without one, are of the last incarnation there is.
    const isNamed = source.topicId !== undefined && !this.#byId.has(undefined)
    const planned = this.#byId.get(isNamed ? source.topicId : this.#lastId)
    if (planned === undefined) return 'another incarnation'
    return { from: base + planned.from, to: base + planned.to, coverEnd: planned.coverEnd }
  }
}
