import { setTimeout as sleep } from 'node:timers/promises'
import type { Referee } from './referee.ts'
import type { Dice } from './seed.ts'

export interface FireTopic {
  readonly name: string
  readonly partitions: number
  /** Written by producers whose transactions overlap and are aborted now and then. */
  readonly isTransactional: boolean
}

/** Producers that do not stop until they are told to. */
export class FireLoad {
  readonly #referee: Referee
  readonly #topics: readonly FireTopic[]
  readonly #dice: Dice
  readonly #producing: Promise<void>
  #isOver = false

  constructor(referee: Referee, topics: readonly FireTopic[], dice: Dice) {
    this.#referee = referee
    this.#topics = topics
    this.#dice = dice
    this.#producing = this.#produce()
    this.#producing.catch(() => undefined) // `end` tells it
  }

  /** What is there before anything else begins. */
  static async backlog(referee: Referee, topics: readonly FireTopic[], records: number, dice: Dice): Promise<void> {
    for (const topic of topics) await write(referee, topic, topic.isTransactional ? records / 10 : records, dice)
  }

  /** Resolves when the last record is in the log. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#producing
  }

  async #produce(): Promise<void> {
    while (!this.#isOver) {
      for (const topic of this.#topics) await write(this.#referee, topic, this.#dice.between(50, 400), this.#dice)
      // So that the processes under fire have the processor for themselves most of the time.
      await sleep(PAUSE_MS)
    }
  }
}

const PAUSE_MS = 200
/** Each is flushed several times, which takes time. */
const RECORDS_PER_TRANSACTION = 25

async function write(
  referee: Referee,
  { name, partitions, isTransactional }: FireTopic,
  records: number,
  dice: Dice,
): Promise<void> {
  const shape = {
    partitions,
    seed: dice.between(1, 1_000_000),
    valueBytes: [40, 300],
    tombstonePercent: 3,
    headers: [0, 2],
    codec: dice.pick(['none', 'lz4', 'zstd', 'snappy', 'gzip'] as const),
  } as const
  if (isTransactional) {
    const transactions = Math.ceil(records / RECORDS_PER_TRANSACTION)
    await referee.generateTransactions(name, { ...shape, transactions })
  } else await referee.generate(name, { ...shape, records })
}
