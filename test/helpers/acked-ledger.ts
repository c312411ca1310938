import { setTimeout as sleep } from 'node:timers/promises'
import type { CanonicalRecord, RecordToSend } from './records.ts'
import { contentOf } from './records.ts'
import type { Referee, RefereeProducer } from './referee.ts'
import type { Place } from './referee-types.ts'
import type { Dice } from './seed.ts'

export interface LedgerTopic {
  readonly name: string
  readonly partitions: number
  /** Written in transactions, a quarter of which are aborted. */
  readonly isTransactional: boolean
}

const thirtyDaysMs = 30 * 24 * 3_600_000
const pauseMs = 250

/**
 * Producers that do not stop until they are told to, and a list of their own of all that was acknowledged to them: what a
 * backup owes. Nothing in it was read from Kafka.
 */
export class AckedLedger {
  /** By `<topic>-<partition>`: what was acknowledged at which offset, aborted records left out. */
  readonly #owed = new Map<string, Map<string, string>>()
  readonly #referee: Referee
  readonly #topics: readonly LedgerTopic[]
  readonly #dice: Dice
  readonly #name: string
  #producing: Promise<void> | undefined
  #isOver = false

  constructor(referee: Referee, topics: readonly LedgerTopic[], name: string, dice: Dice) {
    this.#referee = referee
    this.#topics = topics
    this.#dice = dice
    this.#name = name
  }

  /** Resolves when something of each topic is there; producing goes on. */
  async start(): Promise<void> {
    const plain = await this.#referee.openProducer(`${this.#name}-plain`)
    const settings = { transactionalId: `${this.#name}-tx`, timeoutMs: 60_000 }
    const transactional = await this.#referee.openProducer(`${this.#name}-tx`, settings)
    const round = async () => {
      for (const topic of this.#topics) {
        if (topic.isTransactional) await this.#transaction(transactional, topic)
        else this.#write(topic, ...(await this.#send(plain, topic, this.#dice.between(20, 60))))
      }
    }
    for (let n = 0; n < 4; n++) await round()
    this.#producing = (async () => {
      while (!this.#isOver) {
        await round()
        await sleep(pauseMs)
      }
      await plain.close()
      await transactional.close()
    })()
    this.#producing.catch(() => undefined) // `end` tells it
  }

  /** Resolves when the last record is acknowledged. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#producing
  }

  get records(): number {
    return [...this.#owed.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Contents by offset, in the order of offsets. */
  owed(topic: string, partition: number): [offset: string, content: string][] {
    const owed = [...(this.#owed.get(`${topic}-${partition}`) ?? [])]
    return owed.sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1))
  }

  async #transaction(producer: RefereeProducer, topic: LedgerTopic): Promise<void> {
    const isAborted = this.#dice.number() < 0.25
    await producer.begin()
    const [records, places] = await this.#send(producer, topic, this.#dice.between(5, 20))
    if (isAborted) return producer.abort()
    await producer.commit()
    this.#write(topic, records, places)
  }

  async #send(producer: RefereeProducer, topic: LedgerTopic, count: number): Promise<[Sent[], Place[]]> {
    const records = Array.from({ length: count }, () => this.#record(topic.partitions))
    return [records, await producer.send(topic.name, records)]
  }

  #write({ name }: LedgerTopic, records: readonly Sent[], places: readonly Place[]): void {
    for (const [n, { partition, offset }] of places.entries()) {
      const owed = this.#owed.get(`${name}-${partition}`) ?? new Map<string, string>()
      owed.set(offset, ledgerContent(contentOf(records[n]!)))
      this.#owed.set(`${name}-${partition}`, owed)
    }
  }

  /** As odd as records are allowed to be, and as old as those of a real restore. */
  #record(partitions: number): Sent {
    const dice = this.#dice
    const headers = [
      ['trace', dice.bytes(8)],
      ['trace', null],
      ['', ''],
      ['trace', ''],
    ] as const
    return {
      partition: dice.between(0, partitions - 1),
      timestamp: Date.now() - thirtyDaysMs + dice.between(-5_000, 5_000),
      key: dice.pick([null, '', `customer-${dice.between(1, 500)}`]),
      value: dice.number() < 0.1 ? null : dice.bytes(dice.pick([0, 20, 60, 200, 900])),
      headers: headers.slice(0, dice.number() < 0.1 ? dice.between(1, 4) : 0),
    }
  }
}

type Sent = RecordToSend & { readonly timestamp: number }

/** What must come back of a record, as text. */
export function ledgerContent({
  timestamp,
  key,
  value,
  headers,
}: Omit<CanonicalRecord, 'offset' | 'timestampType'>): string {
  return JSON.stringify([timestamp, key, value, headers])
}
