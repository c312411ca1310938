import type { Clock } from '../runtime/clock.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { requireHeld } from './targets.ts'
import type { Targets } from './targets.ts'

const EVERY_MS = 60_000
/** One broker of many may know less than the others for a moment. */
const SECOND_LOOK_MS = 2_000

/**
 * Looks once a minute whether the targets that are not complete still are the planned ones, and held: operators such as
 * Strimzi put configs back, and finalize does when all is done. Resolves with the error when one is not; throws nothing, because a cluster that does not answer says nothing.
 */
export async function watchHold(
  targets: Targets,
  topics: () => Iterable<string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<unknown> {
  for (;;) {
    await clock.sleep(EVERY_MS, signal)
    if (signal.aborted) return undefined
    for (const topic of topics()) {
      if ((await troubleOf(targets, topic)) === undefined) continue
      await clock.sleep(SECOND_LOOK_MS, signal)
      const trouble = await troubleOf(targets, topic)
      if (trouble !== undefined && !signal.aborted) return trouble
    }
  }
}

async function troubleOf(targets: Targets, topic: string): Promise<unknown> {
  try {
    requireHeld(await targets.inspect(topic))
    return undefined
  } catch (error) {
    return isMaxbrodError(error, 'TARGET_REPLACED', 'TARGET_CHANGED') ? error : undefined
  }
}
