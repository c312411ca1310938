import { DecodeError } from '../format/batch/varint.ts'
import { beginningGone } from '../format/plan-beginning.ts'
import { decodePlanEntry } from '../format/plan-records.ts'
import type { PlanEntry, PlanHead } from '../format/plan.ts'
import { grantOnTopic } from '../kafka/port/acl-command.ts'
import { lostBeginning } from '../kafka/port/lost-beginning.ts'
import type { Kafka } from '../kafka/port.ts'
import type { ReadRecord } from '../kafka/port/fetching.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { PlannedRecords } from './planned-records.ts'
import type { PlannedStretch, SourcePartition, Untranslatable } from './planned-records.ts'

/** What a plan topic says of its restore, read as far as it is written. Without a plan topic it knows nothing. */
export class PlanView {
  readonly #kafka: Kafka
  readonly #topic: string
  /** The plan topic, once it was there. */
  #known: { readonly topicId: string | undefined } | undefined
  #head: PlanHead | undefined
  readonly #bases = new PartitionMap<number>()
  readonly #records = new PartitionMap<PlannedRecords>()
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

  /**
   * Reads what was written since. Throws PLAN_FOREIGN for a topic that holds something else, or is not the one that it was;
   * PLAN_CORRUPT for one without its beginning; KAFKA_AUTH and KAFKA_GAVE_UP for one that cannot be read: a plan that is not
   * seen is not no plan.
   */
  async refresh(signal: AbortSignal): Promise<void> {
    const [topic] = await this.#kafka.admin.topics([this.#topic])
    if (topic?.error === 'TOPIC_AUTHORIZATION_FAILED')
      throw new MaxbrodError('KAFKA_AUTH', `cannot look at the plan topic ${this.#topic}: ${topic.error}`, {
        hint: grantOnTopic(['Describe', 'Read'], this.#topic),
      })
    if (topic?.error !== undefined) throw this.#silent(topic.error)
    if (topic === undefined && this.#known === undefined) return
    if (topic === undefined) throw this.#silent('it is gone')
    if (this.#known !== undefined && topic.topicId !== this.#known.topicId) throw this.#replaced()
    this.#known = { topicId: topic.topicId }
    const partitions = Array.from({ length: topic.partitions }, (_, n) => ({ topic: this.#topic, partition: n }))
    const { offsets, failed } = await this.#kafka.admin.offsets('high watermark', partitions)
    for (const where of partitions) {
      const { partition } = where
      const end = offsets.get(where)
      const from = this.#positions[partition] ?? 0
      if (end === undefined) throw this.#silent(failed.get(where) ?? 'no answer')
      if (end < from) throw this.#replaced()
      this.#isClosed[partition] ??= false
      await this.#read(where, from, end, signal)
      this.#positions[partition] = end
    }
  }

  async #read(where: TopicPartition, from: number, to: number, signal: AbortSignal): Promise<void> {
    try {
      for await (const record of this.#kafka.readRecords(where, from, to, signal)) this.#take(where.partition, record)
    } catch (error) {
      const start = await lostBeginning(this.#kafka, where, from, error)
      throw start === undefined ? error : beginningGone(this.#topic, where.partition, start)
    }
  }

  /** True when the plan has this topic as a target. */
  hasTarget(topic: string): boolean {
    return this.#bases.has({ topic, partition: 0 })
  }

  /** Where the records of a source partition are in its target; undefined when the plan does not speak of the target. */
  stretchOf(target: TopicPartition, source: SourcePartition): PlannedStretch | Untranslatable | undefined {
    const base = this.#bases.get(target)
    if (base === undefined) return undefined
    return (this.#records.get(target) ?? new PlannedRecords()).stretchOf(source, base)
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
      const records = this.#records.get(entry.target) ?? new PlannedRecords()
      this.#records.set(entry.target, records)
      records.add(entry)
    }
    if (entry.kind !== 'head' || entry.restoreId !== this.#head.restoreId) return
    for (const { topic, baseOffsets } of entry.targets)
      for (const [n, base] of baseOffsets.entries()) this.#bases.set({ topic, partition: n }, base)
  }

  #silent(reason: string): MaxbrodError {
    return new MaxbrodError('KAFKA_GAVE_UP', `cannot read the plan topic ${this.#topic}: ${reason}`, {
      hint: 'check the leaders of its partitions',
    })
  }

  #replaced(): MaxbrodError {
    return new MaxbrodError('PLAN_FOREIGN', `${this.#topic} is not the plan topic that it was`, {
      hint: 'start again: it was deleted, or planned anew with --restart-plan',
    })
  }

  #foreign(partition: number, offset: number, cause: DecodeError): MaxbrodError {
    const message = `${this.#topic}-${partition} holds at offset ${offset} ${cause.message}`
    return new MaxbrodError('PLAN_FOREIGN', message, {
      cause,
      hint: 'name the topic that maxbrod plan wrote with --plan-topic',
    })
  }
}
