import { Aborted } from '../runtime/aborted.ts'
import type { Stop } from '../runtime/stop.ts'
import type { CompletePlan } from './completion.ts'
import { planCommitted } from './completion.ts'
import { countRestored } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import type { ExecutorRun } from './executor-run.ts'
import type { ExecutorOptions } from './options.ts'

/**
 * Resolves when the whole plan is committed, or when chains of this executor cannot go on, and none of them is at work then;
 * at once when it is to stop.
 */
export async function untilDone(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  plan: CompletePlan,
  groupId: string,
  stop: Stop,
): Promise<void> {
  for (;;) {
    await untilCommitted(deps, options, run, plan, groupId, stop)
    if (run.stoppedBy !== undefined || stop.draining.aborted) return
    // A target may have lost records behind the commit: its log end decides.
    const before = run.counts()
    if (!run.mend(before, await countRestored(deps, options.planTopic, plan, run.targets, stop.draining))) return
  }
}

async function untilCommitted(
  deps: ExecutorDeps,
  { planTopic }: ExecutorOptions,
  run: ExecutorRun,
  plan: CompletePlan,
  groupId: string,
  { draining }: Stop,
): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([draining, over.signal])
  try {
    const committed = planCommitted(plan, deps, planTopic, groupId, signal)
    const stopped = untilStopped(deps, run, signal)
    for (const one of [committed, stopped]) one.catch(() => undefined) // the slower one is called off below
    await Promise.race([committed, stopped])
  } catch (error) {
    if (draining.aborted) return
    throw error
  } finally {
    over.abort(new Aborted('the executor is done'))
  }
  await run.settled()
}

/** Resolves when a chain has stopped for good and the others of this executor are through. */
export async function untilStopped({ clock }: ExecutorDeps, run: ExecutorRun, signal: AbortSignal): Promise<void> {
  while (run.stoppedBy === undefined) {
    signal.throwIfAborted()
    await clock.sleep(500, signal)
  }
  await run.settled()
}
