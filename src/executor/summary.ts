import type { Stop } from '../runtime/stop.ts'
import type { CompletePlan } from './completion.ts'
import { countRestored } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import type { ExecutorRun } from './executor-run.ts'
import type { ExecutorOptions } from './options.ts'
import { describeFailure } from './result.ts'
import type { RestoreResult } from './result.ts'
import { sealComplete } from './seal.ts'
import { verifyShared } from './verify-shared.ts'
import type { SharedVerification } from './verify-shared.ts'

/** Counts what is in the targets, seals what is complete, and says what is not. */
export async function summarize(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  plan: CompletePlan | undefined,
  { draining }: Stop,
  member: Pick<SharedVerification, 'groupId' | 'session'>,
): Promise<RestoreResult> {
  const { planTopic } = options
  const isHeld = run.targets.all.some(({ topic }) => run.targets.isHeld(topic))
  const base = { planTopic, restoreId: run.targets.restoreId, recordsSent: run.recordsSent, executor: run.name, isHeld }
  if (run.stoppedBy !== undefined) throw run.stoppedBy
  if (plan === undefined || draining.aborted) return { ...base, result: 'ok', topics: [], verified: [], incomplete: [] }
  const found = await countRestored(deps, planTopic, plan, run.targets, draining)
  await sealComplete(deps, found, run.targets)
  const verified =
    options.verify === 'full' ? await verifyShared(deps, { options, run, plan, ...member }, found, draining) : []
  // Behind the seal nothing old can come any more, and what came before it shows.
  const counts = await countRestored(deps, planTopic, plan, run.targets, draining)
  // Names and counts do not tell a topic from another one that was created in its place.
  for (const topic of new Set(counts.map(count => count.topic))) await run.targets.inspect(topic)
  const incomplete = counts
    .filter(({ due, restored }) => restored < due)
    .map(({ topic, partition, due, restored }) => ({
      topic,
      partition,
      recordsPlanned: due,
      recordsRestored: restored,
      ...describeFailure(run.failed.get({ topic, partition })),
    }))
  const topics = [...new Set(counts.map(({ topic }) => topic))].map(topic => {
    const own = counts.filter(count => count.topic === topic)
    const sum = (pick: (one: (typeof own)[number]) => number) => own.reduce((total, one) => total + pick(one), 0)
    return {
      topic,
      partitions: own.length,
      recordsPlanned: sum(one => one.due),
      recordsRestored: sum(one => Math.min(one.restored, one.due)),
    }
  })
  return { ...base, result: incomplete.length === 0 ? 'ok' : 'partial', topics, verified, incomplete }
}
