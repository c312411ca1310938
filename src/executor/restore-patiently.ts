import { isAborted } from '../runtime/aborted.ts'
import { messageOf } from '../runtime/errors.ts'
import { backoffMs } from '../runtime/retry.ts'
import type { ChainRestore } from './chain.ts'
import type { ExecutorDeps } from './deps.ts'
import { Patience } from './patience.ts'
import { triesAgain } from './trouble.ts'

/** How it ended with a chain: all is there, its plan partition is given up, or it cannot go on. */
export type ChainEnding = 'complete' | 'given up' | { readonly failed: unknown }

const BACKOFF = { initialMs: 500, maxMs: 15_000 }
/** A chain that makes no progress for so long gives up: the process ends and says so. */
const GIVE_UP_MS = 10 * 60_000

/** Restores a chain, again and again while time may heal what it meets. */
export async function restorePatiently(
  chain: ChainRestore,
  { clock, random, log }: Pick<ExecutorDeps, 'clock' | 'random' | 'log'>,
  ended: AbortSignal,
): Promise<ChainEnding> {
  const patience = new Patience(GIVE_UP_MS, 1)
  while (!ended.aborted) {
    try {
      await chain.run()
      return 'complete'
    } catch (error) {
      if (ended.aborted || isAborted(error)) return 'given up'
      const isOver = patience.isOver(chain.count, clock.monotonic())
      if (!triesAgain(error, patience.attempts, isOver)) return { failed: error }
      log.warn({ ...chain.target, reason: messageOf(error) }, 'cannot go on right now, trying again')
      await clock.sleep(backoffMs(BACKOFF, patience.attempts - 1, random.number), ended)
    }
  }
  return 'given up'
}
