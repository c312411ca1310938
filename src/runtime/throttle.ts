import type { Clock } from './clock.ts'

/** Keeps what passes below a rate, on average over a second. */
export interface Throttle {
  /** True while somebody is kept waiting. */
  readonly isHolding: boolean
  /** Resolves when `bytes` may have passed; at once when there is no limit. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
}

export const unthrottled: Throttle = { isHolding: false, take: () => Promise.resolve() }

/** How far the account may run ahead of the clock: short bursts are not held up. */
const BURST_MS = 100

export function newThrottle(clock: Clock, bytesPerSecond: number): Throttle {
  let paidUntilMs = 0
  return {
    get isHolding() {
      return paidUntilMs > clock.monotonic()
    },
    async take(bytes, signal) {
      const now = clock.monotonic()
      paidUntilMs = Math.max(paidUntilMs, now - BURST_MS) + (bytes / bytesPerSecond) * 1000
      if (paidUntilMs > now) await clock.sleep(paidUntilMs - now, signal)
    },
  }
}
