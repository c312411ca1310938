import type { Kafka } from '../../src/kafka/port.ts'
import type { AppendAnswer, AppendRequest, BatchAppender } from '../../src/kafka/port/appending.ts'
import type { ConfigEntry } from '../../src/kafka/port/admin.ts'
import type { ReadRecord } from '../../src/kafka/port/fetching.ts'
import { kindOf } from '../../src/kafka/kafka-errors.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'
import { sourceOffsetOf } from '../../src/kafka/tail.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import type { PlainBatch } from './plain-batch.ts'
import { decodeBatches } from './plain-batch.ts'
import type { Dice } from './seed.ts'

/** How likely what is, per produce request. */
export interface Fickleness {
  /** The request never arrives. */
  readonly lost: number
  /** It is carried out, and nobody hears of it. */
  readonly unheard: number
  /** It arrives later, when its sender has given it up. */
  readonly late: number
  /** The leader refuses it with an error that may pass. */
  readonly refused: number
  /** The broker forgets all producers, before any call. */
  readonly forgets: number
  /** The log loses its last batches with an unclean leader election, before any call. */
  readonly truncates: number
  /** Another producer writes a record, before any call. */
  readonly intrudes: number
}

export const kind: Fickleness = { lost: 0, unheard: 0, late: 0, refused: 0, forgets: 0, truncates: 0, intrudes: 0 }

interface StoredRecord {
  readonly producerId: bigint
  readonly sourceOffset: number | undefined
  readonly record: PlainBatch['records'][number]
}

interface StoredBatch {
  readonly producerId: bigint
  readonly first: number
  readonly last: number
  readonly baseOffset: number
}

/**
 * One target partition by the rules of Kafka's log (`UnifiedLog`, `ProducerAppendInfo`, `ProducerStateEntry`): a batch whose
 * range of sequences was among the last five of its producer is acknowledged without a copy, the next one is appended,
 * any other is out of order; and a producer that is not known may begin anywhere. Only the network and memory are fickle.
 */
export class FickleTarget {
  readonly log: StoredRecord[] = []
  readonly logStart: number
  /** Records at the log's start that count, and that nobody can read. */
  readonly before: number
  readonly topic: string
  readonly topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
  readonly maxBatchBytes: number
  /** Timestamps that the target refuses. */
  refusedTimestamp: bigint | undefined
  /** What was done to it, in order. */
  readonly history: string[] = []
  /** Requests that were given up and may still arrive. */
  readonly #onTheWay: PlainBatch[] = []
  /** All batches in the log. */
  readonly #batches: StoredBatch[] = []
  /** What the broker remembers of producers: from this batch on. */
  #remembersFrom = 0
  /** Another broker leads since the last request: whoever sends to the old one hears of it. */
  #hasMoved = false
  readonly #dice: Dice
  #fickleness: Fickleness

  constructor(
    topic: string,
    dice: Dice,
    fickleness: Fickleness,
    {
      logStart = 0,
      maxBatchBytes = 1_000_000,
      before = 0,
    }: { logStart?: number; maxBatchBytes?: number; before?: number } = {},
  ) {
    this.topic = topic
    this.#dice = dice
    this.#fickleness = fickleness
    this.logStart = logStart
    this.before = before
    this.maxBatchBytes = maxBatchBytes
  }

  get logEnd(): number {
    return this.logStart + this.before + this.log.length
  }

  /** Source offsets in the order of the log; null for what is not restored. */
  get sourceOffsets(): (number | null)[] {
    return this.log.map(({ sourceOffset: of }) => of ?? null)
  }

  /** True when a batch was taken that begins below the highest sequence and ends behind zero. */
  get hasWrapped(): boolean {
    return this.#batches.some(({ first, last }) => first > last)
  }

  /** Batches that begin at this offset or behind it. */
  batchesFrom(offset: number): number {
    return this.#batches.filter(({ baseOffset }) => baseOffset >= offset).length
  }

  /** Has the log hold records with these source offsets, as if a restore had put them there. */
  preload(sourceOffsets: readonly number[]): void {
    for (const of of sourceOffsets) {
      const headers = [[Buffer.from('restore.source-offset'), Buffer.from(`${of}`)]] as const
      const record = { offset: 0n, timestamp: 1n, key: null, value: null, headers }
      this.log.push({ producerId: 7n, sourceOffset: of, record })
    }
  }

  /** The port, as far as a chain needs it. */
  kafka(clock: Clock): Kafka {
    const configs: ConfigEntry[] = [['max.message.bytes', `${this.maxBatchBytes}`]].map(([name, value]) => ({
      name: name!,
      value: value!,
      isOwn: true,
      isReadOnly: false,
    }))
    const { topic, topicId } = this
    return {
      admin: {
        topics: () =>
          Promise.resolve([
            { name: topic, topicId, isInternal: false, partitions: 1, replicationFactor: 1, error: undefined },
          ]),
        topicConfigs: () => Promise.resolve(new Map([[topic, configs]])),
        offsets: (which: string, [where]: { topic: string; partition: number }[]) => {
          this.#weather()
          const offset = which === 'log start' ? this.logStart : this.logEnd
          return Promise.resolve({ offsets: new PartitionMap([[where!, offset]]), failed: new PartitionMap() })
        },
      },
      readRecords: (_: unknown, from: number, to: number) => this.#read(from, to),
      newAppender: () => this.#appender(clock),
    } as unknown as Kafka
  }

  async *#read(from: number, to: number): AsyncGenerator<ReadRecord> {
    const readable = this.logStart + this.before
    for (let offset = Math.max(from, readable); offset < Math.min(to, this.logEnd); offset++) {
      const { record, producerId } = this.log[offset - readable]!
      const headers = record.headers.map(([key, value]) => ({
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
      }))
      yield {
        offset,
        timestamp: record.timestamp,
        key: record.key === null ? null : Buffer.from(record.key),
        value: record.value === null ? null : Buffer.from(record.value),
        headers,
        producerId,
        isAppendTime: false,
      }
    }
  }

  #appender(clock: Clock): BatchAppender {
    return {
      append: async request => {
        await clock.sleep(1)
        return this.#take(request)
      },
      reset: () => undefined,
      [Symbol.dispose]: () => undefined,
    }
  }

  #take({ batch: bytes, mayWrite }: AppendRequest): AppendAnswer {
    this.#weather()
    if (!mayWrite()) return { kind: 'unsent', reason: 'it may not be written' }
    const [batch] = decodeBatches(Buffer.from(bytes))
    const { lost, unheard, late, refused } = this.#fickleness
    if (this.#hasMoved) {
      this.#hasMoved = false
      return this.#note('moved', refusal('NOT_LEADER_OR_FOLLOWER'))
    }
    const fate = this.#dice.number()
    if (fate < lost) return this.#note('lost', { kind: 'unanswered', reason: 'lost' })
    if (fate < lost + late) {
      this.#onTheWay.push(batch!)
      return this.#note('late', { kind: 'unanswered', reason: 'late' })
    }
    if (fate < lost + late + refused) {
      const error = this.#dice.pick<KafkaErrorName>(['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS'])
      return this.#note(error, refusal(error))
    }
    const answer = this.#append(batch!, bytes.length)
    if (fate < lost + late + refused + unheard) return this.#note('unheard', { kind: 'unanswered', reason: 'unheard' })
    if (fate > 1 - refused && answer.kind === 'acknowledged')
      return this.#note('after append', refusal('NOT_ENOUGH_REPLICAS_AFTER_APPEND'))
    return answer
  }

  #append({ producerId, baseSequence, records }: PlainBatch, bytes: number): AppendAnswer {
    if (bytes > this.maxBatchBytes) return refusal('MESSAGE_TOO_LARGE')
    if (records.some(({ timestamp }) => timestamp === this.refusedTimestamp)) return refusal('INVALID_TIMESTAMP')
    const last = (baseSequence + records.length - 1) % 2 ** 31
    const known = this.#batches.slice(this.#remembersFrom).filter(one => one.producerId === producerId)
    const repeat = known.slice(-5).find(one => one.first === baseSequence && one.last === last)
    if (repeat !== undefined)
      return { kind: 'acknowledged', baseOffset: repeat.baseOffset, logStartOffset: this.logStart }
    const newest = known.at(-1)
    if (newest !== undefined && baseSequence !== (newest.last + 1) % 2 ** 31)
      return refusal('OUT_OF_ORDER_SEQUENCE_NUMBER')
    const baseOffset = this.logEnd
    for (const record of records) this.log.push({ producerId, sourceOffset: sourceOffset(record), record })
    this.#batches.push({ producerId, first: baseSequence, last, baseOffset })
    return { kind: 'acknowledged', baseOffset, logStartOffset: this.logStart }
  }

  /** What happens to brokers while nobody asks them. */
  #weather(): void {
    const { forgets, truncates, intrudes } = this.#fickleness
    if (this.#dice.number() < forgets && this.#remembersFrom < this.#batches.length) {
      this.#remembersFrom = this.#batches.length
      this.history.push('forgot')
    }
    if (this.#dice.number() < truncates) {
      this.#hasMoved = true
      const lost = this.#batches.splice(-this.#dice.between(1, 3))
      if (lost[0] !== undefined) this.log.length = lost[0].baseOffset - this.logStart - this.before
      this.history.push(`truncated to ${this.logEnd}`)
    }
    if (this.#dice.number() < intrudes) {
      const record = { offset: 0n, timestamp: 1n, key: null, value: Buffer.from('intruder'), headers: [] }
      this.log.push({ producerId: -1n, sourceOffset: undefined, record })
      this.history.push(`intruder at ${this.logEnd - 1}`)
    }
    if (this.#onTheWay.length > 0 && this.#dice.number() < 0.4) {
      const arrived = this.#onTheWay.shift()!
      const end = this.logEnd
      const { kind: outcome } = this.#append(arrived, 0)
      this.history.push(`arrived late: ${outcome}, ${this.logEnd - end} records at ${end}`)
    }
  }

  #note(what: string, answer: AppendAnswer): AppendAnswer {
    this.history.push(what)
    return answer
  }
}

function refusal(name: KafkaErrorName): AppendAnswer {
  return { kind: 'refused', trouble: { name, kind: kindOf(name) } }
}

function sourceOffset({ headers }: PlainBatch['records'][number]): number | undefined {
  return sourceOffsetOf({
    headers: headers.map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })),
  })
}
