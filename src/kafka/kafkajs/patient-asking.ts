import { Aborted, abortable } from '../../runtime/aborted.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import { backoffMs } from '../../runtime/retry.ts'
import { within } from '../../runtime/within.ts'
import { KafkaError, isTemporary } from '../kafka-errors.ts'

export interface PatientAskingDeps {
  readonly clock: Clock
  readonly random: Random
  /** What is left of the time for something that was begun then. */
  readonly leftMs: (startedAtMs: number) => number
  /** What it ends in for whoever asked. */
  readonly endingOf: (cause: KafkaError, doing: string) => Error
  /** Aborts when nobody asks any more. */
  readonly closing: AbortSignal
}

const BACKOFF = { initialMs: 100, maxMs: 2_000 }

/** Asks again while a trouble may pass. */
export class PatientAsking {
  readonly #deps: PatientAskingDeps

  constructor(deps: PatientAskingDeps) {
    this.#deps = deps
  }

  /**
   * Runs `attempt` until it succeeds; retries temporary KafkaErrors with backoff until the deadline, then throws the
   * MaxbrodError that `doing` ended in. What is not temporary is thrown at once. An attempt that is overtaken by the deadline
   * or by the signal goes on unseen.
   */
  async ask<T>(doing: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    const over = new AbortController()
    try {
      const trying = abortable(this.#try(doing, attempt, over.signal), this.#deps.closing)
      return await (signal === undefined ? trying : abortable(trying, signal))
    } finally {
      over.abort(new Aborted('nobody waits for the answer any more'))
    }
  }

  async #try<T>(doing: string, attempt: () => Promise<T>, over: AbortSignal): Promise<T> {
    const { clock, random, leftMs, endingOf } = this.#deps
    const startedAt = clock.monotonic()
    let failure = new KafkaError('REQUEST_TIMED_OUT', doing, 'no answer in time')
    for (let n = 0; ; n++) {
      try {
        const answered = abortable(
          attempt().then(value => ({ value })),
          over,
        )
        const answer = await within(clock, leftMs(startedAt), answered)
        if (answer !== undefined) return answer.value
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        failure = error
        if (!isTemporary(error.error)) throw endingOf(failure, doing)
      }
      const waitMs = backoffMs(BACKOFF, n, random.number)
      if (waitMs > leftMs(startedAt)) throw endingOf(failure, doing)
      await clock.sleep(waitMs, over)
      over.throwIfAborted()
    }
  }
}
