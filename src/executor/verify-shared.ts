import { chainName } from '../format/plan.ts'
import { planPartitionOf } from '../format/plan-partition.ts'
import type { GroupSession } from '../kafka/port/membership.ts'
import { must } from '../runtime/assert.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { CompletePlan } from './completion.ts'
import type { PlanCount } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import type { ExecutorRun } from './executor-run.ts'
import type { ExecutorOptions } from './options.ts'
import { markText, readMark } from './verify-marks.ts'
import { verifyChains } from './verify-full.ts'

/** A chain that was read back and found to be as its files are. */
export interface VerifiedChain extends TopicPartition {
  /** The executor that did it. */
  readonly by: string
}

export interface SharedVerification {
  readonly options: ExecutorOptions
  readonly run: ExecutorRun
  readonly plan: CompletePlan
  readonly groupId: string
  /** Undefined for an executor that came when all was done: it reads everything itself. */
  readonly session: GroupSession | undefined
}

const POLL_MS = 500
/** Beyond the time that its own part took: for so long an executor waits for what others should be reading. */
const PATIENCE_MS = 60_000

/**
 * Reads everything back, each executor the chains of its own plan partitions. Resolves when all of them are read, whoever did it:
 * the plan partitions of one that died come to the others, and what nobody seems to read it reads itself. So the whole is proved
 * when all executors have ended well. Throws TARGET_SPOILED for a difference that it finds.
 */
export async function verifyShared(
  deps: ExecutorDeps,
  { options, run, plan, groupId, session }: SharedVerification,
  counts: readonly PlanCount[],
  signal: AbortSignal,
): Promise<VerifiedChain[]> {
  const { clock, kafka } = deps
  const where = plan.ends.map((_, partition) => ({ topic: options.planTopic, partition }))
  const chainsOf = Map.groupBy(counts, count => planPartitionOf(chainName(count), plan.ends.length))
  const by = new Map<number, string>()
  let movedAt = clock.monotonic()
  let ownMs = 0
  let markedAt = -Infinity
  while (by.size < where.length) {
    signal.throwIfAborted()
    const commits = session === undefined ? undefined : await kafka.admin.committed(groupId, where)
    for (const one of where) {
      const mark = readMark(commits?.get(one)?.metadata ?? '')
      if (mark === undefined || mark.end < must(plan.ends[one.partition], 'end') || by.has(one.partition)) continue
      by.set(one.partition, mark.by)
      run.marks.set(one.partition, mark)
      movedAt = clock.monotonic()
    }
    const open = where.filter(({ partition }) => !by.has(partition))
    const owned = session?.owned.find(({ partition }) => !by.has(partition))
    const isForsaken = session === undefined || clock.monotonic() - movedAt > PATIENCE_MS + ownMs
    const next = owned ?? (isForsaken ? open[0] : undefined)
    if (next === undefined) {
      if (open.length > 0) await clock.sleep(POLL_MS, signal)
      continue
    }
    const { partition } = next
    const chains = chainsOf.get(partition) ?? []
    const beganAt = clock.monotonic()
    await verifyChains(deps, options, run.targets, chains, signal)
    movedAt = clock.monotonic()
    ownMs += movedAt - beganAt
    const mark = { end: must(plan.ends[partition], 'end'), by: run.name }
    by.set(partition, mark.by)
    run.marks.set(partition, mark)
    deps.log.info({ planPartition: partition, chains: chains.length }, 'verified')
    const offset = commits?.get(next)?.offset
    if (owned === undefined || offset === undefined) continue
    await session?.commit([{ ownership: owned, offset, leaderEpoch: -1, metadata: markText(mark) }])
    markedAt = clock.monotonic()
  }
  // Time for the others to see the last mark: whoever gets this plan partition begins with it anew.
  const leftMs = markedAt + 2 * POLL_MS - clock.monotonic()
  if (leftMs > 0) await clock.sleep(leftMs, signal)
  return counts
    .filter(({ due, restored }) => restored >= due)
    .map(count => {
      const { topic, partition } = count
      return { topic, partition, by: by.get(planPartitionOf(chainName(count), plan.ends.length)) ?? '' }
    })
}
