import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { retry } from '../runtime/retry.ts'
import type { StorageOptions } from '../storage/options.ts'
import type { Context } from './command.ts'

/** Far more than clocks of a machine that is looked after differ, and far less than anybody keeps files. */
const AHEAD_MS_MAX = 3_600_000
const BACKOFF = { initialMs: 200, maxMs: 10_000 }

/**
 * For who decides by the age of files: a clock that is ahead makes all of them old. One that is behind only keeps more. Throws
 * CLOCK_AHEAD when the store has another time by far; a folder has none of its own.
 */
export async function requireClock(
  storage: StorageOptions,
  { clock, random, stop, lookAtStorage }: Pick<Context, 'clock' | 'random' | 'stop' | 'lookAtStorage'>,
): Promise<void> {
  const { skewMs = 0 } = await retry(
    {
      ...BACKOFF,
      clock,
      random: () => random.number(),
      deadlineMs: storage.storageDeadline,
      signal: stop.draining,
      isTemporary: error => isMaxbrodError(error, 'STORAGE_UNREACHABLE'),
    },
    () => lookAtStorage(storage, clock, stop.draining),
  )
  if (-skewMs <= AHEAD_MS_MAX) return
  const theirs = new Date(clock.now() + skewMs).toISOString()
  throw new MaxbrodError('CLOCK_AHEAD', `this clock is ${Math.round(-skewMs / 1000)} s ahead of that of the store`, {
    here: new Date(clock.now()).toISOString(),
    there: theirs,
    hint: 'set the clock of this machine (NTP); files that are young here would be taken for old ones',
  })
}
