/**
 * Time, as a port: rooms take it as an argument, so that a test can own it.
 * Nothing about safety is decided by `now`; clocks jump.
 */
export interface Clock {
  /** Wall time, ms since 1970-01-01T00:00:00Z. For names, ages that people read, and log lines. */
  now(): number
  /** Monotonic ms. Goes on while the process is stopped by SIGSTOP, so a long pause shows. */
  monotonic(): number
  /** Resolves after `ms`, or as soon as `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `tick` every `ms` until disposed; does not keep the process alive. */
  every(ms: number, tick: () => void): Disposable
}

/** What Node's timers take; one that is set for longer ends at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const wait = (leftMs: number): NodeJS.Timeout =>
        setTimeout(
          () => {
            if (leftMs > TIMER_MS_MAX) timer = wait(leftMs - TIMER_MS_MAX)
            else done()
          },
          Math.min(leftMs, TIMER_MS_MAX),
        )
      let timer = wait(ms)
      signal?.addEventListener('abort', done, { once: true })
    })
  },
  every(ms, tick) {
    const timer = setInterval(tick, ms)
    timer.unref()
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
}
