import type { Clock } from '../../src/runtime/clock.ts'

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #nowMs: number
  #timers: { atMs: number; readonly everyMs: number | undefined; readonly ring: () => void }[] = []

  constructor(nowMs = Date.UTC(2026, 10, 21, 12)) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise(resolve => {
      const timer = { atMs: this.#nowMs + ms, everyMs: undefined, ring: resolve }
      this.#timers.push(timer)
      signal?.addEventListener('abort', () => {
        this.#timers = this.#timers.filter(other => other !== timer)
        resolve()
      })
    })
  }

  every(ms: number, tick: () => void): Disposable {
    const timer = { atMs: this.#nowMs + ms, everyMs: ms, ring: tick }
    this.#timers.push(timer)
    return { [Symbol.dispose]: () => void (this.#timers = this.#timers.filter(other => other !== timer)) }
  }

  /** Lets time pass; what is due on the way happens, in order, before this returns. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      if (next.everyMs === undefined) this.#timers = this.#timers.filter(other => other !== next)
      else next.atMs = this.#nowMs + next.everyMs
      next.ring()
    }
    this.#nowMs = endMs
  }

  /** Time passes while the process does not run (SIGSTOP): what was due meanwhile happens with the next `advance`. */
  standStill(ms: number): void {
    this.#nowMs += ms
  }
}
