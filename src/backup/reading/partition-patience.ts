import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'

/** Between two tries of one partition. */
const PAUSE_MS = 200
/** How long a partition may get nothing but errors before somebody must decide about it. */
const TROUBLE_MS = 60_000

/** How long errors of one partition are waited out. */
export class PartitionPatience {
  readonly #place: TopicPartition
  readonly #clock: Clock
  /** Until then the partition is not asked for. */
  #pausedUntilMs = -Infinity
  /** When the first of the errors in a row came. */
  #troubledSinceMs: number | undefined

  constructor(place: TopicPartition, clock: Clock) {
    this.#place = place
    this.#clock = clock
  }

  get isPaused(): boolean {
    return this.#clock.monotonic() < this.#pausedUntilMs
  }

  pause(): void {
    this.#pausedUntilMs = this.#clock.monotonic() + PAUSE_MS
  }

  /** An answer without an error came. */
  relax(): void {
    this.#troubledSinceMs = undefined
  }

  /** Waits for an error to pass. Returns what to say about it when it does not; once a minute. */
  suffer(name: string): MaxbrodError | undefined {
    this.pause()
    const now = this.#clock.monotonic()
    this.#troubledSinceMs ??= now
    if (now - this.#troubledSinceMs < TROUBLE_MS) return undefined
    this.#troubledSinceMs = undefined
    return new MaxbrodError('KAFKA_GAVE_UP', `${partitionName(this.#place)} cannot be read for a minute: ${name}`, {
      ...this.#place,
      hint: 'check the brokers that hold replicas of it, and their logs',
    })
  }
}
