import type { RestorationPoint } from '../catalog/restoration-points.ts'
import type { Kafka } from '../kafka/port.ts'
import type { OffsetsAnswer } from '../kafka/port/admin.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { Entry } from './entries.ts'
import { filledElsewhere } from './filled-elsewhere.ts'
import type { PlanView } from './plan-view.ts'
import { restoredRange } from './restored-range.ts'
import { rivalReason, rivalsIn } from './rivals.ts'
import { SourceIndex } from './source-index.ts'
import type { ReadBatch } from './source-index.ts'
import { translate } from './translate.ts'
import type { Verdict } from './verdict.ts'

/** Partitions that are read at the same time. */
const READING = 16

interface Ends {
  readonly partitions: ReadonlyMap<string, number>
  /** Topics that another plan's restore still fills, where that matters. */
  readonly filled: ReadonlySet<string>
  readonly starts: OffsetsAnswer
  readonly ends: OffsetsAnswer
}

const NOT_TRANSLATABLE = {
  mixed: 'several partitions were restored into this one: no single offset says where to go on in all of them',
  'another incarnation':
    'the topic was deleted and created again since: this offset means nothing in what was restored',
}

const FILLED_ELSEWHERE =
  'a restore still fills the topic, and the plan topic that was looked at says nothing of it: name that of the restore with --plan-topic'

/** What is to be thought of targets that no plan speaks of. */
export interface Unplanned {
  /** What is there is all there is. */
  readonly isAllHere: boolean
  /** That holds of those, too, which a restore still fills. */
  readonly trustsFilled: boolean
}

/** The restored partitions: finds where saved offsets are in them, and remembers what it has read. */
export class Targets {
  readonly #kafka: Kafka
  readonly #plan: PlanView
  readonly #indexes = new PartitionMap<Map<number, SourceIndex>>()
  readonly #ranges = new PartitionMap<{ start: number; end: number; logStart: number; logEnd: number }>()
  readonly #limit = newLimit(READING)

  constructor(kafka: Kafka, plan: PlanView) {
    this.#kafka = kafka
    this.#plan = plan
  }

  /**
   * One verdict for each entry, in their order; what the restore may still bring is `waiting`. What cannot be read fails alone; a
   * partition that does not answer, as a whole.
   */
  async translateAll(
    entries: readonly Entry[],
    point: RestorationPoint | undefined,
    { isAllHere, trustsFilled }: Unplanned,
    signal: AbortSignal,
  ): Promise<{ readonly verdicts: readonly Verdict[]; readonly reached: number }> {
    const ends = await this.#ends(entries, trustsFilled)
    const empty = new PartitionMap(
      (point?.partitions ?? []).filter(one => one.log_start === one.end).map(one => [one, one.end]),
    )
    const verdicts = new Map<Entry, Verdict>()
    const byTarget = new PartitionMap<Entry[]>()
    for (const entry of entries) {
      const known = byTarget.get(entry.target)
      if (known === undefined) byTarget.set(entry.target, [entry])
      else known.push(entry)
    }
    const reading = [...byTarget].map(([target, of]) =>
      this.#limit(async () => {
        let silent: Verdict | undefined
        // A plan knows which of them its records are of.
        const rivals = this.#plan.hasTarget(target.topic) ? undefined : rivalsIn(of)
        // Neighbours lie in the same batches.
        for (const entry of of.toSorted((a, b) => a.offset - b.offset)) {
          signal.throwIfAborted()
          try {
            const rival = rivals?.get(entry)
            const refused = rival === undefined ? undefined : failed(rivalReason(entry, rival))
            const known = silent ?? this.#missing(entry, ends) ?? refused
            verdicts.set(entry, known ?? (await this.#find(entry, target, ends, empty, isAllHere, signal)))
          } catch (error) {
            if (!isMaxbrodError(error)) throw error
            verdicts.set(entry, failed(error.message))
            // Was asked for minutes: to ask again for each saved offset would take days.
            if (isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) silent = failed(error.message)
          }
        }
      }),
    )
    await Promise.all(reading)
    const reached = [...ends.ends.offsets.values()].reduce((sum, end) => sum + end, 0)
    return { verdicts: entries.map(entry => verdicts.get(entry) ?? failed('no answer')), reached }
  }

  async #ends(entries: readonly Entry[], trustsFilled: boolean): Promise<Ends> {
    const { admin } = this.#kafka
    const names = [...new Set(entries.map(({ target }) => target.topic))]
    const topics = names.length === 0 ? [] : await admin.topics(names)
    const partitions = new Map(topics.filter(({ error }) => error === undefined).map(one => [one.name, one.partitions]))
    const wanted = new PartitionMap(entries.map(({ target }) => [target, true] as const))
    const there = [...wanted.keys()].filter(({ topic, partition }) => partition < (partitions.get(topic) ?? 0))
    const [starts, ends, filled] = await Promise.all([
      admin.offsets('log start', there),
      admin.offsets('high watermark', there),
      trustsFilled ? new Set<string>() : filledElsewhere(this.#kafka, this.#plan, [...partitions.keys()]),
    ])
    return { partitions, starts, ends, filled }
  }

  #missing({ target: { topic, partition } }: Entry, { partitions, filled }: Ends): Verdict | undefined {
    if (filled.has(topic)) return failed(FILLED_ELSEWHERE)
    const count = partitions.get(topic)
    if (count !== undefined && partition < count) return undefined
    const isComing = this.#plan.head !== undefined && !this.#plan.isClosed
    if (isComing) return { kind: 'waiting', reason: 'not planned yet' }
    const reason = count === undefined ? `there is no topic ${topic}` : `${topic} has ${count} partitions`
    return { kind: 'topic-missing', reason }
  }

  async #find(
    entry: Entry,
    target: TopicPartition,
    { starts, ends }: Ends,
    empty: PartitionMap<number>,
    isAllHere: boolean,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const logStart = starts.offsets.get(target)
    const logEnd = ends.offsets.get(target)
    if (logStart === undefined || logEnd === undefined)
      return failed(starts.failed.get(target) ?? ends.failed.get(target) ?? 'no answer')
    const planned = this.#plan.stretchOf(target, entry)
    if (typeof planned === 'string') return failed(NOT_TRANSLATABLE[planned])
    const read: ReadBatch = (offset, to) => this.#kafka.readSourceOffsets(target, offset, to, signal)
    const range =
      planned === undefined
        ? await this.#unplannedRange(target, read, logStart, logEnd)
        : { start: planned.from, end: Math.min(planned.to, logEnd) }
    const start = Math.max(range.start, logStart)
    const end = Math.max(range.end, start)
    const index = this.#indexOf(target, range.start, read)
    await index.extend(start, end)
    const isComplete = planned === undefined ? isAllHere : this.#plan.isClosed && logEnd >= planned.to
    // Of a partition that was empty there is no file, and the point tells that it was.
    const coverEnd = planned === undefined ? undefined : (planned.coverEnd ?? empty.get(entry) ?? 0)
    const hadRecords = planned !== undefined && planned.to > planned.from
    const found = await index.find(entry.offset)
    const lastSource = index.last?.source
    return translate(entry.offset, found, { start, end, isComplete, coverEnd, lastSource, hadRecords })
  }

  async #unplannedRange(target: TopicPartition, read: ReadBatch, logStart: number, logEnd: number) {
    const known = this.#ranges.get(target)
    if (known?.logStart === logStart && known.logEnd === logEnd) return known
    const range = { ...(await restoredRange(target, read, logStart, logEnd)), logStart, logEnd }
    this.#ranges.set(target, range)
    return range
  }

  #indexOf(target: TopicPartition, from: number, read: ReadBatch): SourceIndex {
    let indexes = this.#indexes.get(target)
    if (indexes === undefined) this.#indexes.set(target, (indexes = new Map()))
    let index = indexes.get(from)
    if (index === undefined) indexes.set(from, (index = new SourceIndex(target, read)))
    return index
  }
}

function failed(reason: string): Verdict {
  return { kind: 'failed', reason }
}
