import { setTimeout as sleep } from 'node:timers/promises'

/** Far longer than anything takes: a machine that stands still for half a minute is no failure. */
const PATIENCE_MS = 90_000

export interface EventuallyOptions {
  readonly timeoutMs?: number
  readonly everyMs?: number
}

/**
 * Runs `attempt` until it neither throws nor answers false or undefined, and gives its value back. At the deadline it
 * throws with the last error as its cause. Tests wait for a condition with this, never for a time.
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | Promise<T>,
  { timeoutMs = PATIENCE_MS, everyMs = 50 }: EventuallyOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    let last: unknown
    try {
      const value = await attempt()
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>
      last = new Error(value === false ? 'the answer was false' : 'there was no answer')
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) {
      const reason = last instanceof Error ? last.message : String(last)
      throw new Error(`not within ${timeoutMs} ms: ${what} (${reason})`, { cause: last })
    }
    await sleep(everyMs)
  }
}
