/** Notices that something is tried again and again and does not get on. */
export class Patience {
  readonly #ms: number
  readonly #leastAttempts: number
  #at = Number.NaN
  #sinceMs = 0
  #attempts = 0

  /** It ends `ms` behind the first attempt that failed at a place, and not before so many of them. */
  constructor(ms: number, leastAttempts: number) {
    this.#ms = ms
    this.#leastAttempts = leastAttempts
  }

  /** Attempts that failed at the present place. */
  get attempts(): number {
    return this.#attempts
  }

  /** Notes an attempt that failed at a place; true when there were too many, for too long. */
  isOver(at: number, nowMs: number): boolean {
    if (at !== this.#at) {
      this.#at = at
      this.#sinceMs = nowMs
      this.#attempts = 0
    }
    this.#attempts++
    return this.#attempts >= this.#leastAttempts && nowMs - this.#sinceMs > this.#ms
  }
}
