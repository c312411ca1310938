import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

/** What one partition has read that is not durable yet. */
export interface BufferedPartition {
  readonly ownership: TopicPartition
  readonly bufferedOffsets: number
  readonly bufferedBytes: number
  /** In how many ms its oldest file is closed at the latest; 0 when one waits for its upload. */
  readonly dueInMs: number
}

export interface Buffered {
  /** That have read something that is not durable yet. */
  readonly partitions: number
  readonly offsets: number
  readonly bytes: number
  /** When the next file is closed at the latest, and when the last one of those that are being filled is. */
  readonly nextDueInMs: number
  readonly lastDueInMs: number
}

/** Sums up what is not durable; undefined when everything is. */
export function sumOfBuffered(partitions: Iterable<BufferedPartition>): Buffered | undefined {
  let [count, offsets, bytes] = [0, 0, 0]
  let [nextDueInMs, lastDueInMs] = [Infinity, 0]
  for (const { bufferedOffsets, bufferedBytes, dueInMs } of partitions) {
    if (bufferedOffsets === 0) continue
    count++
    offsets += bufferedOffsets
    bytes += bufferedBytes
    nextDueInMs = Math.min(nextDueInMs, dueInMs)
    lastDueInMs = Math.max(lastDueInMs, dueInMs)
  }
  return count === 0 ? undefined : { partitions: count, offsets, bytes, nextDueInMs, lastDueInMs }
}

const EVERY_MS = 30_000

/** Says now and then in the log what would have to be read again if the working folder were lost, and until when. */
export class BufferedLog {
  readonly #clock: Clock
  readonly #log: Logger
  #saidAtMs: number

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock
    this.#log = log
    this.#saidAtMs = clock.monotonic()
  }

  /** To be called now and then. */
  tick(partitions: Iterable<BufferedPartition>): void {
    if (this.#clock.monotonic() - this.#saidAtMs < EVERY_MS) return
    this.#saidAtMs = this.#clock.monotonic()
    const buffered = sumOfBuffered(partitions)
    if (buffered === undefined) return
    const { nextDueInMs, lastDueInMs, ...sums } = buffered
    const at = (inMs: number) => new Date(this.#clock.now() + inMs).toISOString()
    this.#log.info({ ...sums, nextFileBy: at(nextDueInMs), lastFileBy: at(lastDueInMs) }, 'read and not uploaded yet')
  }
}
