import type { DrillOptions } from '../archive/drill-options.ts'
import { stretchesOf } from '../archive/drill-sample.ts'
import { besideGenerations, surveyGenerations } from '../archive/survey-generations.ts'
import { isSelected, surveyArchive } from '../archive/survey.ts'
import type { SurveyedTopic, TopicSelection } from '../archive/survey.ts'
import { listTopicFolders } from '../catalog/tile-list.ts'
import type { ExecutorDeps } from '../executor/deps.ts'
import { drillTopics, renamesFor } from '../format/drill-names.ts'
import type { PlannerDeps } from '../planner/deps.ts'
import type { PlannerOptions } from '../planner/options.ts'
import { runPlanner } from '../planner/planner.ts'
import type { PlanResult } from '../planner/result.ts'
import type { Stop } from '../runtime/stop.ts'
import type { DrillScratch } from './drill-scratch.ts'

export interface DrillDeps extends ExecutorDeps, Omit<PlannerDeps, 'readFile' | 'onPreflight'> {}

const FROM_OFFSETS = 'from'
const TO_OFFSETS = 'to'

/** Plans what a drill restores, all of it or a sample, under names of the drill's own. */
export async function planDrill(
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

/** The files that a restore would read now, by topic. */
async function topicsNow(
  deps: DrillDeps,
  selection: TopicSelection,
  signal: AbortSignal,
): Promise<readonly SurveyedTopic[]> {
  const generations = await surveyGenerations(deps, selection, () => undefined, signal)
  return besideGenerations(await surveyArchive(deps, selection, signal), generations).topics
}
