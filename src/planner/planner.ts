import type { PlanMapping } from '../format/plan.ts'
import { must } from '../runtime/assert.ts'
import type { Stop } from '../runtime/stop.ts'
import { checkDefinitions, savedDefinitions } from './check-definitions.ts'
import type { PlannerContext, PlannerDeps } from './deps.ts'
import { checkSameMapping, isPlanned, plannedTarget } from './head.ts'
import { createEmptyTopics, emptyTopics } from './empty-topics.ts'
import { brokersForNew } from './enough-brokers.ts'
import { LeftOut } from './left-out.ts'
import { lookAtBackup } from './look.ts'
import { checkOrder, holesBehindPlan } from './behind-plan.ts'
import { checkRenames, impossibleTargets } from './mapping.ts'
import type { PlannerOptions } from './options.ts'
import { partitionDoubts, planTopicPartitions } from './plan-topic.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import { notesOf, passPreflight } from './pass-preflight.ts'
import { splitAtPlanned } from './split-at-planned.ts'
import { forgetPlan, oldPlan } from './restart-plan.ts'
import type { PlanResult } from './result.ts'
import { seeTargets } from './see-targets.ts'
import { wantedChains, wantedTargets } from './want.ts'
import { planIdOfJob, resultOf, writePlan } from './write-plan.ts'
import type { PlanJob } from './write-plan.ts'
import { readWindow } from './window.ts'

/**
 * Audits a backup and writes the plan of its restore: one record per file, in the order in which each partition is to be
 * restored. Nothing is written to the store. kill -9 at any moment leaves a plan that the next run completes; planners that
 * run at the same time agree on one plan.
 */
export async function runPlanner(ports: PlannerDeps, options: PlannerOptions, stop: Stop): Promise<PlanResult> {
  const { kafka, log } = ports
  const unread: string[] = []
  const deps: PlannerContext = { ...ports, definitions: savedDefinitions(ports, unread) }
  const signal = stop.draining
  const mapping: PlanMapping = {
    targetPrefix: options.targetPrefix ?? '',
    rename: [...options.rename].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    partitionMap: options.partitionMap,
  }
  const asked = await readWindow(deps, options)
  const readPlan = () => readExisting(deps, options, mapping, signal)
  // Where a plan is begun decides which generation it may go on with.
  const begun = options.useCompacted && !options.restartPlan ? await readPlan() : undefined
  const leftOut = new LeftOut(options)
  const all = await lookAtBackup(deps, options, asked, begun, leftOut, signal)
  const sources = [...new Set(all.topics.map(({ folder }) => folder.topic))]
  const allEmpty = (await emptyTopics(deps, options, mapping, all, signal)).filter(({ source }) => !leftOut.has(source))
  const named = [...sources, ...allEmpty.map(({ source }) => source)]
  checkRenames(named, mapping)
  const impossible = impossibleTargets(named, mapping, options.planTopic)
  const old = options.restartPlan ? await oldPlan(deps, options, signal) : undefined
  const before = options.restartPlan ? undefined : (begun ?? (await readPlan()))
  const allTargets = await wantedTargets(deps, all, mapping, signal)
  const possible = [...allTargets, ...allEmpty].filter(({ source }) => !impossible.has(source))
  const seen = await seeTargets(
    kafka,
    possible.map(({ topic }) => topic),
  )
  checkDefinitions(deps.definitions, possible, seen, options)
  const brokers = await brokersForNew(kafka, possible, seen, options)
  const view = { wanted: allTargets, empty: allEmpty, impossible, seen, brokers }
  const rows = await passPreflight(deps, options, view, before, leftOut, readPlan)
  const looked = { ...all, topics: all.topics.filter(({ folder }) => !leftOut.has(folder.topic)) }
  const targets = allTargets.filter(({ source }) => !leftOut.has(source))
  const empty = allEmpty.filter(({ source }) => !leftOut.has(source))
  const fresh = targets.filter(({ topic }) => !isPlanned(before, topic))
  const partitionsOf = (topic: string) =>
    plannedTarget(before, topic)?.baseOffsets.length ??
    seen.get(topic)?.description.partitions ??
    must(targets.find(target => target.topic === topic)?.partitions, topic)
  const whole = wantedChains(looked, mapping, options.incarnation, partitionsOf)
  const scanning = { maxRecordBytes: options.maxRecordBytes, signal }
  const wanted = { targets, chains: await splitAtPlanned(deps, whole, before, scanning) }
  checkOrder(wanted.chains, before)
  const warnings = [
    ...partitionDoubts(options.planTopic, options.planPartitions, before?.partitions.length),
    ...unread,
    ...looked.warnings,
    ...holesBehindPlan(wanted.chains, before, options),
  ]
  // Otherwise they are told when it is done, of the targets as they are then.
  if (options.dryRun) warnings.push(...notesOf(rows))
  const common = { deps, options, mapping, looked, wanted, before, fresh, seen }
  const job: PlanJob = { ...common, preflight: rows, leftOut: leftOut.topics, warnings, signal }
  if (old !== undefined) await forgetPlan(deps, options, old)
  warnings.push(...(await createEmptyTopics(deps, empty, options)))
  warnings.push(...leftOut.topics.map(({ topic, reason }) => `${topic} is left out: ${reason}`))
  for (const warning of warnings) log.warn(warning)
  return options.dryRun ? resultOf(job, planIdOfJob(job, before), 0, before?.heads[0]?.restoreId) : writePlan(job)
}

/** The plan that the topic holds already, if it exists. */
async function readExisting(
  deps: PlannerDeps,
  { planTopic }: PlannerOptions,
  mapping: PlanMapping,
  signal: AbortSignal,
): Promise<PlanState | undefined> {
  const partitions = await planTopicPartitions(deps.kafka, planTopic)
  if (partitions === undefined) return undefined
  const state = await readPlanState(deps.kafka, planTopic, partitions, signal)
  const [first] = state.heads
  if (first !== undefined) checkSameMapping(first, mapping, undefined, planTopic)
  return state
}
