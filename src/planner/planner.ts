import type { PlanMapping } from '../format/plan.ts'
import { must } from '../runtime/assert.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import type { PlannerDeps } from './deps.ts'
import { checkSameMapping, isPlanned, plannedTarget } from './head.ts'
import { createEmptyTopics, emptyTopics } from './empty-topics.ts'
import { lookAtBackup } from './look.ts'
import { checkOrder, holesBehindPlan } from './behind-plan.ts'
import { checkMapping } from './mapping.ts'
import type { PlannerOptions } from './options.ts'
import { planTopicPartitions } from './plan-topic.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import { describeExisting } from './prepare-targets.ts'
import { splitAtPlanned } from './split-at-planned.ts'
import { forgetPlan, oldPlan } from './restart-plan.ts'
import type { PlanResult } from './result.ts'
import { checkPlanned, inspectTargets } from './targets.ts'
import { wantedChains, wantedTargets } from './want.ts'
import { planIdOfJob, resultOf, writePlan } from './write-plan.ts'
import type { PlanJob } from './write-plan.ts'
import { readWindow } from './window.ts'

/**
 * Audits a backup and writes the plan of its restore: one record per file, in the order in which each partition is to be
 * restored. Nothing is written to the store. kill -9 at any moment leaves a plan that the next run completes; planners that
 * run at the same time agree on one plan.
 */
export async function runPlanner(deps: PlannerDeps, options: PlannerOptions, stop: Stop): Promise<PlanResult> {
  const { kafka, log } = deps
  const signal = stop.draining
  const mapping: PlanMapping = {
    targetPrefix: options.targetPrefix ?? '',
    rename: [...options.rename].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    partitionMap: options.partitionMap,
  }
  const asked = await readWindow(deps, options)
  const looked = await lookAtBackup(deps, options, asked, signal)
  const sources = [...new Set(looked.topics.map(({ folder }) => folder.topic))]
  const empty = await emptyTopics(deps, options, mapping, looked, signal)
  checkMapping([...sources, ...empty.map(({ source }) => source)], mapping, options.planTopic)
  const old = options.restartPlan ? await oldPlan(deps, options, signal) : undefined
  const before = options.restartPlan ? undefined : await readExisting(deps, options, mapping, signal)
  const targets = await wantedTargets(deps, looked, mapping, signal)
  const fresh = targets.filter(({ topic }) => !isPlanned(before, topic))
  await checkPlanned(
    kafka,
    targets.flatMap(({ topic }) => plannedTarget(before, topic) ?? []),
  )
  const existing = await inspectTargets(kafka, fresh, options)
  const partitionsOf = (topic: string) =>
    plannedTarget(before, topic)?.baseOffsets.length ??
    existing.get(topic)?.partitions ??
    must(targets.find(target => target.topic === topic)?.partitions, topic)
  const whole = wantedChains(looked, mapping, options.incarnation, partitionsOf)
  const scanning = { maxRecordBytes: options.maxRecordBytes, signal }
  const wanted = { targets, chains: await splitAtPlanned(deps, whole, before, scanning) }
  checkOrder(wanted.chains, before)
  const warnings = [...looked.warnings, ...holesBehindPlan(wanted.chains, before, options)]
  const job: PlanJob = { deps, options, mapping, looked, wanted, before, fresh, existing, warnings, signal }
  await refuseUnfit(job)
  if (old !== undefined) await forgetPlan(deps, options, old)
  warnings.push(...(await createEmptyTopics(deps, empty, options)))
  for (const warning of warnings) log.warn(warning)
  return options.dryRun ? resultOf(job, planIdOfJob(job, before), 0, before?.heads[0]?.restoreId) : writePlan(job)
}

/** Everything that would be refused is refused before the first topic is created. */
async function refuseUnfit({ deps, options, fresh, existing, mapping, warnings, signal }: PlanJob): Promise<void> {
  for (const target of fresh) {
    try {
      // What it tells is told again when it is done.
      await describeExisting(deps, target, existing, options, options.dryRun ? warnings : [])
    } catch (error) {
      if (!isMaxbrodError(error, 'TARGET_NOT_EMPTY') || options.dryRun || options.restartPlan) throw error
      // Another planner may have planned it since we looked, and executors may be at work.
      const now = await readExisting(deps, options, mapping, signal)
      if (!isPlanned(now, target.topic)) throw error
    }
  }
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
