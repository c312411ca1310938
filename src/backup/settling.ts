import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'

/**
 * Lets a group of workers settle that are started one after the other: what is assigned within `delayMs` of the first
 * assignment begins only when they are over, so that nothing is read of partitions that move on at once. Begins nothing once `signal` aborts.
 */
export function newSettling(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  delayMs: number,
  signal: AbortSignal,
): (begin: () => void) => void {
  if (delayMs === 0) return begin => begin()
  let settled: Promise<void> | undefined
  let isSettled = false
  return begin => {
    if (isSettled) return begin()
    if (settled === undefined) log.info({ delayMs }, 'waiting for the group to settle (--consume-delay)')
    settled ??= clock.sleep(delayMs, signal).then(() => void (isSettled = true))
    void settled.then(() => (signal.aborted ? undefined : begin()))
  }
}
