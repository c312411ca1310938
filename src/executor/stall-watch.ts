import type { Clock } from '../runtime/clock.ts'

/** A pause of the event loop that is taken for a stop of the process. */
const STALL_MS = 1_000
const TICK_MS = 100

/**
 * Notices that this process did not run for a while: stopped by SIGSTOP, frozen by its host, or busy. What was checked before
 * such a pause may not be true any more. Monotonic time goes on while a process is stopped.
 */
export class StallWatch implements Disposable {
  readonly #clock: Clock
  readonly #ticker: Disposable
  #tickedAtMs: number
  #stalls = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#tickedAtMs = clock.monotonic()
    this.#ticker = clock.every(TICK_MS, () => this.#look())
  }

  /** How many stalls there were so far, one that is just over included. */
  count(): number {
    this.#look()
    return this.#stalls
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]()
  }

  #look(): void {
    const now = this.#clock.monotonic()
    if (now - this.#tickedAtMs > STALL_MS) this.#stalls++
    this.#tickedAtMs = now
  }
}
