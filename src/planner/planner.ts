import { createHash } from 'node:crypto'
import type { PlanMapping, PlanTarget } from '../format/plan.ts'
import type { TopicDescription } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import { applyHold } from './apply-hold.ts'
import { planIdOf } from './build-plan.ts'
import type { PlannerDeps } from './deps.ts'
import { emitFirstHead, emitPlan } from './emit.ts'
import type { EmitContext } from './emit.ts'
import { checkSameMapping, firstHead, headFor, isPlanned, plannedTarget } from './head.ts'
import { lookAtBackup } from './look.ts'
import { checkMapping } from './mapping.ts'
import type { PlannerOptions } from './options.ts'
import { createPlanTopic, planTopicPartitions } from './plan-topic.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import { describeExisting, prepareTarget } from './prepare-targets.ts'
import type { PlanResult } from './result.ts'
import { inspectTargets } from './targets.ts'
import { wantedOf } from './want.ts'
import type { Wanted } from './want.ts'

const PLAN_PARTITIONS_MAX = 50

/**
 * Audits a backup and writes the plan of its restore: one record per file, in the order in which each partition is to be
 * restored. Nothing is written to the store. kill -9 at any moment leaves a plan that the next run completes; planners that
 * run at the same time agree on one plan.
 */
export async function runPlanner(deps: PlannerDeps, options: PlannerOptions, stop: Stop): Promise<PlanResult> {
  const { kafka, log } = deps
  const signal = stop.draining
  refuseUnbuilt(options)
  const mapping: PlanMapping = {
    targetPrefix: options.targetPrefix ?? '',
    rename: [...options.rename],
    partitionMap: options.partitionMap,
  }
  const looked = await lookAtBackup(deps, options, signal)
  checkMapping(
    looked.topics.map(({ folder }) => folder.topic),
    mapping,
    options.planTopic,
  )
  const wanted = await wantedOf(deps, looked, mapping, signal)
  const before = await readExisting(deps, options, mapping, signal)
  const fresh = wanted.targets.filter(({ topic }) => !isPlanned(before, topic))
  const existing = await inspectTargets(kafka, fresh, options)
  const warnings = [...looked.warnings]
  for (const warning of warnings) log.warn(warning)

  const targetIds = wanted.targets.map(
    ({ topic }) => existing.get(topic)?.topicId ?? plannedTarget(before, topic)?.topicId ?? topic,
  )
  const planId = planIdOf(
    [options.topics.map(String), options.excludeTopics.map(String)],
    mapping,
    targetIds,
    wanted.chains,
  )
  const result = (filesAdded: number, restoreId: string | undefined): PlanResult => ({
    planTopic: options.planTopic,
    planId,
    restoreId,
    isDryRun: options.dryRun,
    filesAdded,
    topics: tableOf(wanted, existing),
    foreignKeys: looked.foreignKeys.length,
    warnings,
  })
  if (options.dryRun) {
    // Describing them says what would be refused: targets that are not empty.
    for (const target of fresh) await describeExisting(deps, target, existing, options)
    return result(0, before?.heads[0]?.restoreId)
  }

  const partitions = await openPlanTopic(deps, options, wanted)
  using appender = kafka.newAppender()
  const topicsSha = createHash('sha256')
    .update(wanted.targets.map(({ source }) => source).join(','))
    .digest('hex')
  const context: EmitContext = {
    deps,
    planTopic: options.planTopic,
    planPartitions: partitions,
    topicsSha,
    appender,
    signal,
  }
  const targets: PlanTarget[] = []
  for (const target of fresh) targets.push(await prepareTarget(deps, target, existing, options, warnings))
  const head = await firstHead(deps, options, mapping, looked.clusterId, partitions, targets)
  const state = await emitFirstHead(context, before?.heads[0] ?? head)
  const first = must(state.heads[0], 'head')
  checkSameMapping(first, mapping, looked.clusterId, options.planTopic)
  const filesAdded = await emitPlan(context, planId, wanted.chains, now => headFor(first, targets, now))
  await applyHold(deps, (await readPlanState(kafka, options.planTopic, partitions, signal)).heads)
  log.info(
    { planTopic: options.planTopic, planId, filesAdded, restoreId: first.restoreId },
    filesAdded > 0 ? 'planned' : 'nothing new to plan',
  )
  return result(filesAdded, first.restoreId)
}

function refuseUnbuilt({ until, at, incarnation, partitionMap }: PlannerOptions): void {
  const asked = {
    '--until': until !== undefined,
    '--at': at !== undefined,
    '--incarnation all': incarnation === 'all',
    '--partition-map modulo': partitionMap === 'modulo',
  }
  for (const [flag, isAsked] of Object.entries(asked)) {
    if (isAsked) throw new MaxbrodError('NOT_BUILT', `${flag} is not there yet in this version`, { flag })
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

async function openPlanTopic(
  { kafka, clock }: PlannerDeps,
  { planTopic, planPartitions }: PlannerOptions,
  { chains }: Wanted,
): Promise<number> {
  const existing = await planTopicPartitions(kafka, planTopic)
  if (existing !== undefined) return existing
  return createPlanTopic(
    kafka,
    clock,
    planTopic,
    planPartitions ?? Math.min(Math.max(chains.length, 1), PLAN_PARTITIONS_MAX),
  )
}

function tableOf({ targets, chains }: Wanted, existing: ReadonlyMap<string, TopicDescription>): PlanResult['topics'] {
  return targets.map(target => {
    const own = chains.filter(chain => chain.target.topic === target.topic)
    const tiles = own.flatMap(chain => chain.tiles)
    return {
      source: target.source,
      topicId: own[0]?.source.sourceTopicId,
      target: target.topic,
      created: !existing.has(target.topic),
      partitions: target.partitions,
      files: tiles.length,
      records: tiles.reduce((sum, { records }) => sum + records, 0),
      bytes: tiles.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  })
}
