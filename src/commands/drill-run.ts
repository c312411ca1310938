import type { DrilledTopic, DrillReport, Shortfall } from '../archive/drill-report.ts'
import type { DrillOptions } from '../archive/drill-options.ts'
import { drillTopics, renamesFor } from '../format/drill-names.ts'
import { stretchesOf } from '../archive/drill-sample.ts'
import { isSelected, surveyArchive } from '../archive/survey.ts'
import type { SurveyedTopic, TopicSelection } from '../archive/survey.ts'
import { besideGenerations, surveyGenerations } from '../archive/survey-generations.ts'
import { listTopicFolders } from '../catalog/tile-list.ts'
import { runExecutor } from '../executor/executor.ts'
import type { ExecutorDeps } from '../executor/deps.ts'
import type { RestoreResult } from '../executor/result.ts'
import type { PlannerDeps } from '../planner/deps.ts'
import type { PlannerOptions } from '../planner/options.ts'
import { runPlanner } from '../planner/planner.ts'
import type { PlanResult } from '../planner/result.ts'
import type { ErrorCode } from '../runtime/error-codes.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import type { Stop } from '../runtime/stop.ts'
import { compareRestored } from './drill-compare.ts'
import type { Comparison } from './drill-compare.ts'
import type { DrillScratch } from './drill-scratch.ts'

export interface DrillDeps extends ExecutorDeps, Omit<PlannerDeps, 'readFile' | 'onPreflight'> {}

/** What came of a drill before its topics were removed; what a signal interrupted has no comparison. */
export interface Drilled {
  readonly report: Omit<DrillReport, 'left' | 'leftReason'>
  /** Why partitions are incomplete, as far as this process knows. */
  readonly code: ErrorCode | undefined
}

const FROM_OFFSETS = 'from'
const TO_OFFSETS = 'to'

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
  const restored = await runExecutor(deps, executorOptions(options, scratch), stop)
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

async function planDrill(
  deps: DrillDeps,
  options: DrillOptions,
  scratch: DrillScratch,
  stop: Stop,
): Promise<PlanResult> {
  const { store, random } = deps
  const { topics, at, until, acceptGaps, incarnation, maxRecordBytes } = options
  // A worker may have backed up what a drill restored before it was held.
  const excludeTopics = [...options.excludeTopics, drillTopics]
  const selection = { topics, excludeTopics }
  const names: string[] = []
  for await (const { topic } of listTopicFolders(store, { onForeign: () => undefined, signal: stop.draining }))
    if (isSelected(topic, selection)) names.push(topic)
  const stretches =
    options.sample < 1
      ? stretchesOf(await topicsNow(deps, selection, stop.draining), options.sample, () => random.number())
      : undefined
  const offsets = new Map(
    stretches === undefined
      ? []
      : [
          [FROM_OFFSETS, stretches.from],
          [TO_OFFSETS, stretches.to],
        ],
  )
  const plannerOptions: PlannerOptions = {
    planTopic: scratch.name,
    planPartitions: undefined,
    topics,
    excludeTopics,
    processLargeTopicsLast: undefined,
    useCompacted: options.useCompacted,
    targetPrefix: scratch.prefix,
    rename: new Map(renamesFor([...new Set(names)], scratch)),
    topic: [],
    createTopics: true,
    partitionMap: 'same',
    append: false,
    hold: 'auto',
    until,
    fromOffsets: stretches === undefined ? undefined : FROM_OFFSETS,
    toOffsets: stretches === undefined ? undefined : TO_OFFSETS,
    at,
    acceptGaps,
    // With a point, it says which one.
    incarnation: at === undefined ? incarnation : undefined,
    restartPlan: false,
    ignoreErrors: false,
    strict: false,
    maxRecordBytes,
    dryRun: false,
  }
  const readFile = (name: string) => {
    const text = offsets.get(name)
    return Promise.resolve(text === undefined ? undefined : Buffer.from(text))
  }
  return runPlanner({ ...deps, readFile, onPreflight: () => undefined }, plannerOptions, stop)
}

function executorOptions(
  { sessionTimeout, memory, maxRate, maxRecordBytes }: DrillOptions,
  { name, group }: DrillScratch,
): Parameters<typeof runExecutor>[1] {
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

function topicsOf(planned: PlanResult, restored: RestoreResult, { partitions }: Comparison): DrilledTopic[] {
  return planned.topics.map(({ source, target, files, bytes, records }) => {
    const own = partitions.filter(one => one.restoredTopic === target)
    const times = (pick: (one: (typeof own)[number]) => bigint | undefined) => own.flatMap(one => pick(one) ?? [])
    return {
      topic: source,
      partitions: own.length,
      files,
      bytes,
      recordsPlanned: records,
      recordsRestored: restored.topics.find(({ topic }) => topic === target)?.recordsRestored ?? 0,
      recordsCompared: own.reduce((sum, one) => sum + one.records, 0),
      timestampMin: least(
        times(one => one.timestampMin),
        (a, b) => a < b,
      ),
      timestampMax: least(
        times(one => one.timestampMax),
        (a, b) => a > b,
      ),
      differences: own.reduce((sum, one) => sum + one.differences, 0),
    }
  })
}

/** What was not restored, and what cannot be read: by the names of the backup. */
function shortfalls({ incomplete }: RestoreResult, { partitions }: Comparison): Shortfall[] {
  const sources = new PartitionMap(
    partitions.map(one => [{ topic: one.restoredTopic, partition: one.partition }, one.topic] as const),
  )
  return [
    ...incomplete.map(({ recordsRestored, recordsPlanned, message, ...target }) => ({
      topic: sources.get(target) ?? target.topic,
      partition: target.partition,
      says: `${recordsRestored} of ${recordsPlanned} records were restored: ${message}`,
    })),
    ...partitions.flatMap(({ topic, partition, unreadable, restoredTopic }) =>
      unreadable === undefined ||
      incomplete.some(one => partitionName(one) === partitionName({ topic: restoredTopic, partition }))
        ? []
        : [{ topic, partition, says: `could not be compared: ${unreadable}` }],
    ),
  ]
}

function least<T>(values: readonly T[], isBetter: (a: T, b: T) => boolean): T | undefined {
  return values.reduce<T | undefined>(
    (best, one) => (best === undefined || isBetter(one, best) ? one : best),
    undefined,
  )
}

function secondsOf(ms: number): number {
  return Math.round(ms / 100) / 10
}

/** The files that a restore would read now, by topic. */
async function topicsNow(
  deps: DrillDeps,
  selection: TopicSelection,
  signal: AbortSignal,
): Promise<readonly SurveyedTopic[]> {
  const generations = await surveyGenerations(deps, selection, () => undefined, signal)
  return besideGenerations(await surveyArchive(deps, selection, signal), generations).topics
}
