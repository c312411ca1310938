import type { Clock } from '../runtime/clock.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { StoppedPartition } from './result.ts'
import type { UploadedTile } from './chain/uploaded-tile.ts'

/** What a flush did: everything that was read when it was asked for is durable and committed now, but for what is `left`. */
export interface Flushed {
  readonly files: readonly FlushedFile[]
  /** Partitions whose records are not durable: they stopped, wait, or moved to another worker, which reads them again. */
  readonly left: readonly (TopicPartition & { readonly reason: string })[]
  readonly seconds: number
}

export interface FlushedFile extends TopicPartition {
  readonly key: string
  readonly from: number
  readonly to: number
  readonly records: number
  readonly bytes: number
}

/** A partition of which not all is durable. */
export interface Missed extends TopicPartition {
  /** Missing where it moved on. */
  readonly reason?: string
}

/** The partitions of ours that the spool holds something of, and that could not be begun with yet. */
export function notBegun(
  owned: readonly TopicPartition[],
  spooled: readonly TopicPartition[],
  isBegun: (partition: TopicPartition) => boolean,
): Missed[] {
  const held = new PartitionMap(spooled.map(one => [one, true] as const))
  const reason = 'what the spool holds of it waits until it can be begun with'
  return owned.flatMap(({ topic, partition }) =>
    held.has({ topic, partition }) && !isBegun({ topic, partition }) ? [{ topic, partition, reason }] : [],
  )
}

export interface FlushDeps {
  readonly clock: Clock
  /** Uploads and commits all that was taken so far; resolves with the partitions for which that did not come about. */
  readonly flushAll: () => Promise<readonly Missed[]>
  /** The partitions that cannot go on. */
  readonly stopped: () => readonly StoppedPartition[]
}

/** Between the beginnings of two rounds: whoever asks all the time gets small files, but not thousands. */
const ROUND_MS = 1_000

/**
 * Flushes on demand, one round at a time: who asks while one is under way shares the next one with all others who do. A round
 * goes on when nobody waits for it any more.
 */
export class FlushDesk {
  readonly #deps: FlushDeps
  #running: Promise<Flushed> | undefined
  #next: Promise<Flushed> | undefined
  #startedAtMs = -Infinity
  #files: FlushedFile[] | undefined

  constructor(deps: FlushDeps) {
    this.#deps = deps
  }

  /** Resolves when all that was read by now is durable and committed. */
  flush(): Promise<Flushed> {
    this.#next ??= this.#wait()
    return this.#next
  }

  /** To be told of every file that became durable. */
  uploaded({ topic, partition }: TopicPartition, { key, from, to, records, bytes }: UploadedTile): void {
    this.#files?.push({ topic, partition, key, from, to, records, bytes })
  }

  async #wait(): Promise<Flushed> {
    const { clock } = this.#deps
    await this.#running?.catch(() => undefined) // whoever asked for that one hears of it
    const restMs = this.#startedAtMs + ROUND_MS - clock.monotonic()
    if (restMs > 0) await clock.sleep(restMs)
    this.#next = undefined
    this.#running = this.#round()
    return this.#running
  }

  async #round(): Promise<Flushed> {
    const { clock, flushAll, stopped } = this.#deps
    this.#startedAtMs = clock.monotonic()
    const files: FlushedFile[] = []
    this.#files = files
    try {
      const missed = await flushAll()
      const reasons = new PartitionMap(missed.map(one => [one, one.reason ?? 'it moved to another worker']))
      for (const one of stopped()) reasons.set(one, one.message)
      const left = [...reasons].map(([{ topic, partition }, reason]) => ({ topic, partition, reason }))
      return { files, left, seconds: (clock.monotonic() - this.#startedAtMs) / 1_000 }
    } finally {
      this.#files = undefined
    }
  }
}
