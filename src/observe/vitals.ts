import { formatDuration } from '../config/units.ts'
import type { Clock } from '../runtime/clock.ts'

/** One thing that the work waits for, and that must come to an end. */
export interface StepOptions {
  /** What it moves: a slow line may take long for much. */
  readonly bytes?: number
  /** True while something outside explains that it does not end; its time begins anew after that. */
  readonly isExcused?: () => boolean
}

interface Step extends StepOptions {
  readonly what: string
  beganAtMs: number
}

/** A verdict and a sentence about it. */
export interface Vital {
  readonly isGood: boolean
  readonly says: string
}

/** How often it is noted that the process runs, and the most that a note counts: a process that stood still was not stuck. */
const NOTE_MS = 1_000
const NOTE_MS_MAX = 2 * NOTE_MS
/** Slower than this no line is. */
const LEAST_BYTES_PER_MS = 16

/**
 * What probes ask about a process. Alive: none of the steps of its work takes longer than it may. A step ends by an answer, an
 * error or a time-out of its own, and what is tried again begins again, so that a broker or a store that is away makes nothing
 * stuck. Ready: what the room says.
 */
export class Vitals implements Disposable {
  readonly #clock: Clock
  readonly #steps = new Set<Step>()
  readonly #noting: Disposable
  #notedAtMs: number
  #awakeMs = 0
  #allowedMs = Infinity
  #unreadyBecause: () => string | undefined = () => 'starting'

  constructor(clock: Clock) {
    this.#clock = clock
    this.#notedAtMs = clock.monotonic()
    this.#noting = clock.every(NOTE_MS, () => {
      this.#note()
      for (const step of this.#steps) if (step.isExcused?.() === true) step.beganAtMs = this.#awakeMs
    })
  }

  /** How long any step may take; infinite until told. */
  allow(ms: number): void {
    this.#allowedMs = ms
  }

  /** Does a step of the work: `what` as in "for 20 min: …". Each call of `moves` says that it moved, and its time begins anew. */
  async during<T>(what: string, work: (moves: () => void) => Promise<T>, options: StepOptions = {}): Promise<T> {
    this.#note()
    const step = { ...options, what, beganAtMs: this.#awakeMs }
    this.#steps.add(step)
    const moves = () => {
      this.#note()
      step.beganAtMs = this.#awakeMs
    }
    try {
      return await work(moves)
    } finally {
      this.#steps.delete(step)
    }
  }

  /** Has the room asked, from now on, why the process is not ready; undefined when it is. */
  readyUnless(because: () => string | undefined): void {
    this.#unreadyBecause = because
  }

  /** Ready for as long as a proof that the group counts us in is not older than its session. */
  readyAsMember(group: string, provenAtMs: () => number, sessionTimeoutMs: number): void {
    this.readyUnless(() => {
      const ms = this.#clock.monotonic() - provenAtMs()
      return ms <= sessionTimeoutMs ? undefined : `group ${group} has not counted us in for ${formatDuration(ms)}`
    })
  }

  get alive(): Vital {
    this.#note()
    const stuck = [...this.#steps]
      .map(step => ({ ...step, ms: this.#awakeMs - step.beganAtMs }))
      .filter(({ ms, bytes = 0 }) => ms > this.#allowedMs + bytes / LEAST_BYTES_PER_MS)
      .toSorted((a, b) => b.ms - a.ms)
    const [worst] = stuck
    if (worst === undefined) return { isGood: true, says: `alive, ${this.#steps.size} steps under way` }
    const others = stuck.length > 1 ? `, and ${stuck.length - 1} more` : ''
    return { isGood: false, says: `stuck for ${formatDuration(Math.floor(worst.ms))}: ${worst.what}${others}` }
  }

  get ready(): Vital {
    const because = this.#unreadyBecause()
    return { isGood: because === undefined, says: because ?? 'ready' }
  }

  [Symbol.dispose](): void {
    this.#noting[Symbol.dispose]()
  }

  #note(): void {
    const nowMs = this.#clock.monotonic()
    this.#awakeMs += Math.min(nowMs - this.#notedAtMs, NOTE_MS_MAX)
    this.#notedAtMs = nowMs
  }
}
