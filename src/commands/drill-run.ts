import type { DrillOptions } from '../archive/drill-options.ts'
import type { DrillReport } from '../archive/drill-report.ts'
import { runExecutor } from '../executor/executor.ts'
import type { ExecutorOptions } from '../executor/options.ts'
import type { ErrorCode } from '../runtime/error-codes.ts'
import type { Stop } from '../runtime/stop.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { compareRestored } from './drill-compare.ts'
import { shortfalls, topicsOf } from './drill-outcome.ts'
import { planDrill } from './drill-plan.ts'
import type { DrillDeps } from './drill-plan.ts'
import type { DrillScratch } from './drill-scratch.ts'

/** What came of a drill before its topics were removed; what a signal interrupted has no comparison. */
export interface Drilled {
  readonly report: Omit<DrillReport, 'left' | 'leftReason'>
  /** Why partitions are incomplete, as far as this process knows. */
  readonly code: ErrorCode | undefined
}

/**
 * Plans a restore into topics of the drill, carries it out, and compares: the planner and the executor are those of every
 * restore. Undefined when it was stopped before all was compared.
 */
export async function runDrill(
  deps: DrillDeps,
  options: DrillOptions,
  scratch: DrillScratch,
  stop: Stop,
): Promise<Drilled | undefined> {
  const { clock } = deps
  const signal = stop.draining
  const startedAt = new Date(clock.now()).toISOString()
  const began = clock.monotonic()
  const planned = await planDrill(deps, options, scratch, stop)
  if (signal.aborted) return undefined
  const restoring = clock.monotonic()
  const restored = await runExecutor(deps, restoreOfScratch(options, scratch), stop)
  if (signal.aborted) return undefined
  const comparing = clock.monotonic()
  const throttle = options.maxRate === undefined ? unthrottled : newThrottle(clock, options.maxRate)
  const { memory, maxRecordBytes } = options
  const incomplete = new PartitionMap(restored.incomplete.map(one => [one, one.recordsRestored] as const))
  const compared = await compareRestored(
    { ...deps, throttle },
    { planTopic: scratch.name, memory: memory / 2, maxRecordBytes, incomplete },
    signal,
  )
  const ended = clock.monotonic()
  const codes = restored.incomplete.flatMap(({ code }) => (code === undefined || code === 'BUG' ? [] : [code]))
  const records = restored.topics.reduce((sum, one) => sum + one.recordsRestored, 0)
  const seconds = {
    plan: secondsOf(restoring - began),
    restore: secondsOf(comparing - restoring),
    compare: secondsOf(ended - comparing),
    total: secondsOf(ended - began),
  }
  return {
    code: codes[0],
    report: {
      drill: scratch.name,
      storage: deps.store.url,
      startedAt,
      sample: options.sample,
      restorationPoint: planned.restorationPoint,
      topics: topicsOf(planned, restored, compared),
      seconds,
      records,
      bytes: planned.topics.reduce((sum, { bytes }) => sum + bytes, 0),
      recordsPerSecond: Math.round((records * 1_000) / Math.max(1, comparing - restoring)),
      differences: compared.partitions.reduce((sum, one) => sum + one.differences, 0),
      differing: compared.differences,
      incomplete: shortfalls(restored, compared),
      warnings: planned.warnings,
      leftoversRemoved: scratch.leftovers,
    },
  }
}

function restoreOfScratch(
  { sessionTimeout, memory, maxRate, maxRecordBytes }: DrillOptions,
  { name, group }: DrillScratch,
): ExecutorOptions {
  return {
    planTopic: name,
    groupId: group,
    restoreTopicPrefix: undefined,
    exitWhenDone: true,
    verify: 'tail',
    retryQuarantined: false,
    workerName: undefined,
    sessionTimeout,
    memory,
    maxRate,
    maxRecordBytes,
  }
}

function secondsOf(ms: number): number {
  return Math.round(ms / 100) / 10
}
