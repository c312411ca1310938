import type { Clock } from './clock.ts'

/** The result of `work` if it comes within `ms`, else undefined; the work goes on all the same. No timer is left behind. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const end = new AbortController()
  try {
    return await Promise.race([work, clock.sleep(ms, end.signal).then(() => undefined)])
  } finally {
    end.abort()
  }
}
