import { DecodeError } from '../format/batch/varint.ts'
import { decodePlanEntry } from '../format/plan.ts'
import type { PlanEntry, PlanFile, PlanHead } from '../format/plan.ts'
import type { Kafka, ReadRecord } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

/** The part of a target partition that comes from one source partition, by the plan. */
export interface PlannedStretch {
  /** Offsets in the target, closed-open. */
  readonly from: number
  readonly to: number
  /** The source offset behind all that was planned; undefined when nothing was. */
  readonly coverEnd: number | undefined
}

interface Source {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number
}

/** What a plan topic says of its restore, read as far as it is written. Without a plan topic it knows nothing. */
export class PlanView {
  readonly #kafka: Kafka
  readonly #topic: string
  #head: PlanHead | undefined
  readonly #bases = new PartitionMap<number>()
  readonly #files = new PartitionMap<PlanFile[]>()
  #positions: number[] = []
  #isClosed: boolean[] = []

  constructor(kafka: Kafka, planTopic: string) {
    this.#kafka = kafka
    this.#topic = planTopic
  }

  /** The first head of the plan; undefined when there is no plan. */
  get head(): PlanHead | undefined {
    return this.#head
  }

  /** True when no planner is at work: nothing more is to come than is planned. */
  get isClosed(): boolean {
    return this.#isClosed.every(Boolean)
  }

  /** Reads what was written since. Throws PLAN_FOREIGN for a topic that holds something else. */
  async refresh(signal: AbortSignal): Promise<void> {
    const [topic] = await this.#kafka.admin.topics([this.#topic])
    const partitions = Array.from({ length: topic?.partitions ?? 0 }, (_, n) => ({ topic: this.#topic, partition: n }))
    const { offsets } = await this.#kafka.admin.offsets('high watermark', partitions)
    for (const { partition } of partitions) {
      const end = offsets.get({ topic: this.#topic, partition }) ?? 0
      const from = this.#positions[partition] ?? 0
      this.#isClosed[partition] ??= false
      for await (const record of this.#kafka.readRecords({ topic: this.#topic, partition }, from, end, signal))
        this.#take(partition, record)
      this.#positions[partition] = Math.max(from, end)
    }
  }

  /** True when the plan has this topic as a target. */
  hasTarget(topic: string): boolean {
    return this.#bases.has({ topic, partition: 0 })
  }

  /**
   * Where the records of a source partition are in its target; undefined when the plan does not speak of the target. `mixed` when
   * another partition was restored into the same one: no single offset says where to go on in both. `another incarnation` when
   * the topic was deleted and created again between what was saved and what was restored: the offset means nothing there.
   */
  stretchOf(target: TopicPartition, source: Source): PlannedStretch | 'mixed' | 'another incarnation' | undefined {
    const base = this.#bases.get(target)
    if (base === undefined) return undefined
    const files = this.#files.get(target) ?? []
    if (files.some(file => file.source.topic !== source.topic || file.source.partition !== source.partition))
      return 'mixed'
    const ids = new Set(files.map(file => file.source.topicId))
    // Offsets that were saved without an id, or are in files without one, are of the last incarnation there is.
    const isNamed = source.topicId !== undefined && !ids.has(undefined)
    if (isNamed && files.length > 0 && !ids.has(source.topicId)) return 'another incarnation'
    const wanted = isNamed ? source.topicId : files.at(-1)?.source.topicId
    const own = files.filter(file => file.source.topicId === wanted)
    const first = own[0]
    const last = own.at(-1)
    if (first === undefined || last === undefined) return { from: base, to: base, coverEnd: undefined }
    const coverEnd = Math.max(...own.map(({ slice, covers }) => slice?.toOffset ?? covers.to))
    return { from: base + first.recordsBefore, to: base + last.recordsBefore + last.records, coverEnd }
  }

  #take(partition: number, { offset, value, producerId }: ReadRecord): void {
    let entry: PlanEntry
    try {
      entry = decodePlanEntry(value)
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause
      throw this.#foreign(partition, offset, cause)
    }
    this.#head ??= entry.kind === 'head' ? entry : undefined
    // The heads of planners that came second, and what they wrote, are of no restore.
    if (this.#head === undefined || this.#head.producerId !== String(producerId)) return
    this.#isClosed[partition] = entry.kind === 'end'
    if (entry.kind === 'file') {
      const files = this.#files.get(entry.target)
      if (files === undefined) this.#files.set(entry.target, [entry])
      else files.push(entry)
    }
    if (entry.kind !== 'head' || entry.restoreId !== this.#head.restoreId) return
    for (const { topic, baseOffsets } of entry.targets)
      for (const [n, base] of baseOffsets.entries()) this.#bases.set({ topic, partition: n }, base)
  }

  #foreign(partition: number, offset: number, cause: DecodeError): MaxbrodError {
    const message = `${this.#topic}-${partition} holds at offset ${offset} ${cause.message}`
    return new MaxbrodError('PLAN_FOREIGN', message, {
      cause,
      hint: 'name the topic that maxbrod plan wrote with --plan-topic',
    })
  }
}
