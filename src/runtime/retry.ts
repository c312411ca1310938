import type { Clock } from './clock.ts'

export interface Backoff {
  readonly initialMs: number
  readonly maxMs: number
}

/** Equal jitter: between half and all of a bound that doubles with each attempt (attempt counts from 0). */
export function backoffMs({ initialMs, maxMs }: Backoff, attempt: number, random: () => number): number {
  const bound = Math.min(maxMs, initialMs * 2 ** Math.min(attempt, 30))
  return bound / 2 + (random() * bound) / 2
}

export interface RetryOptions extends Backoff {
  readonly clock: Clock
  readonly random: () => number
  /** No new attempt starts later than this many ms after the first one. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  /** Is another attempt worth it? What is final is thrown at once. */
  readonly isTemporary: (error: unknown) => boolean
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void
}

/** Runs `attempt` until it succeeds, fails for good, is aborted or the deadline passes; then throws the last error. */
export async function retry<T>(options: RetryOptions, attempt: (attempt: number) => Promise<T>): Promise<T> {
  const { clock, deadlineMs, signal } = options
  const startedAt = clock.monotonic()
  for (let n = 0; ; n++) {
    try {
      return await attempt(n)
    } catch (error) {
      const waitMs = backoffMs(options, n, options.random)
      const isOver = clock.monotonic() - startedAt + waitMs > deadlineMs
      if (signal?.aborted === true || isOver || !options.isTemporary(error)) throw error
      options.onRetry?.(error, n, waitMs)
      await clock.sleep(waitMs, signal)
    }
  }
}
