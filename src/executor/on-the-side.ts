import type { GroupSession } from '../kafka/port/membership.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { planNow } from './completion.ts'
import { countRestored } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import type { ExecutorRun } from './executor-run.ts'
import type { ExecutorOptions } from './options.ts'
import { sealComplete } from './seal.ts'
import { untilStopped } from './until-done.ts'
import { verifyChains } from './verify-full.ts'

const SEAL_EVERY_MS = 15_000
/** A rebalance may leave a member with nothing for a moment. */
const IDLE_MS = 10_000

/**
 * Resolves when an executor that goes on is to stop, or cannot go on with one of its chains: it ends then, and whoever starts
 * it again tries that chain again.
 */
export async function workOn(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  over: Stop,
): Promise<void> {
  const stopped = untilStopped(deps, run, over.draining).catch((error: unknown) => {
    if (!over.draining.aborted) throw error
  })
  const verified = options.verify === 'full' ? [verifyAsTopicsComplete(deps, options, run, over)] : []
  await Promise.race([sealAsTopicsComplete(deps, options.planTopic, run, over), stopped, ...verified])
}

/** Of the topics that are complete, it reads back what it has restored itself. Throws TARGET_SPOILED for a difference. */
async function verifyAsTopicsComplete(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  { draining }: Stop,
): Promise<void> {
  const { targets } = run
  const side = { ...options, memory: options.memory / 4 }
  const done = new PartitionMap<number>()
  while (!draining.aborted) {
    await deps.clock.sleep(SEAL_EVERY_MS, draining)
    try {
      const { plan } = await planNow(deps.kafka, options.planTopic, targets.head, draining)
      if (plan === undefined) continue
      const counts = await countRestored(deps, options.planTopic, plan, targets, draining)
      const open = new Set(counts.filter(one => one.restored < one.planned).map(({ topic }) => topic))
      for (const count of counts) {
        if (open.has(count.topic) || !run.isOwn(count) || done.get(count) === count.planned) continue
        await verifyChains(deps, side, targets, [count], draining)
        done.set(count, count.planned)
        deps.log.info({ topic: count.topic, partition: count.partition, records: count.planned }, 'verified')
      }
    } catch (error) {
      if (isMaxbrodError(error, 'TARGET_SPOILED') && !draining.aborted) throw error
      if (!draining.aborted) deps.log.warn({ err: error }, 'could not verify what is complete, trying again')
    }
  }
}

/** What it does on the side: it seals topics as soon as they are complete, and mends those that lost records. Resolves when it is to stop. */
async function sealAsTopicsComplete(
  deps: ExecutorDeps,
  planTopic: string,
  run: ExecutorRun,
  { draining }: Stop,
): Promise<void> {
  const { targets } = run
  while (!draining.aborted) {
    await deps.clock.sleep(SEAL_EVERY_MS, draining)
    try {
      const { plan } = await planNow(deps.kafka, planTopic, targets.head, draining)
      if (plan === undefined) continue
      const before = run.counts()
      const counts = await countRestored(deps, planTopic, plan, targets, draining)
      run.mend(before, counts)
      await sealComplete(deps, counts, targets)
    } catch (error) {
      if (!draining.aborted) deps.log.warn({ err: error }, 'could not look whether topics are complete')
    }
  }
}

/** An executor that has nothing to do is not broken, and says so: there are no more plan partitions than that. */
export async function sayWhenIdle(
  { clock, log }: ExecutorDeps,
  session: GroupSession,
  { draining }: Stop,
): Promise<void> {
  let wasIdle = false
  for (;;) {
    await clock.sleep(IDLE_MS, draining)
    if (draining.aborted) return
    const isIdle = session.owned.length === 0
    if (isIdle && !wasIdle) {
      const planPartitions = session.selected.length
      log.info({ planPartitions }, 'stands by: the other executors have all plan partitions')
    }
    if (!isIdle && wasIdle) log.info('has plan partitions again')
    wasIdle = isIdle
  }
}
