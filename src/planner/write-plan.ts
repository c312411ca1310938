import { createHash } from 'node:crypto'
import { chainName } from '../format/plan.ts'
import type { PlanMapping, PlanTarget } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { applyHold } from './apply-hold.ts'
import { planIdOf } from './build-plan.ts'
import type { PlannerDeps } from './deps.ts'
import { emitFiles, emitFirstHead, emitMoreHeads } from './emit.ts'
import type { EmitContext } from './emit.ts'
import { checkSameMapping, firstHead, isPlanned, laterPart, plannedTarget, targetsOf } from './head.ts'
import type { LeftOutTopic } from './left-out.ts'
import type { LookedAt } from './look.ts'
import type { PlannerOptions } from './options.ts'
import { createPlanTopic, planTopicPartitions } from './plan-topic.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import type { PreflightRow } from './preflight.ts'
import { prepareTarget } from './prepare-targets.ts'
import { restOfChain } from './rest-of-chain.ts'
import type { PlanResult } from './result.ts'
import type { SeenTarget } from './see-targets.ts'
import { windowText } from './window.ts'
import type { Wanted } from './want.ts'
import type { WantedTarget } from './wanted-target.ts'

/** What was found out before anything is written. */
export interface PlanJob {
  readonly deps: PlannerDeps
  readonly options: PlannerOptions
  readonly mapping: PlanMapping
  readonly looked: LookedAt
  readonly wanted: Wanted
  /** The plan that the plan topic holds already; undefined when there is no such topic. */
  readonly before: PlanState | undefined
  /** Targets that the plan does not have yet. */
  readonly fresh: readonly WantedTarget[]
  /** Targets as they were before anything was written; those that did not exist are missing. */
  readonly seen: ReadonlyMap<string, SeenTarget>
  readonly preflight: readonly PreflightRow[]
  readonly leftOut: readonly LeftOutTopic[]
  readonly warnings: string[]
  readonly signal: AbortSignal
}

const PLAN_PARTITIONS_MAX = 50

/**
 * Creates what is missing, writes the heads, holds the targets, and writes the files: in this order, because a head says
 * what to put back, and executors refuse a target that is not held.
 */
export async function writePlan(job: PlanJob): Promise<PlanResult> {
  const { deps, options, mapping, looked, wanted, before, signal } = job
  const { kafka, log } = deps
  const { planTopic } = options
  const planPartitions = await openPlanTopic(deps, options, wanted)
  using appender = kafka.newAppender()
  const sources = wanted.targets.map(({ source }) => source).join(',')
  const topicsSha = createHash('sha256').update(sources).digest('hex')
  const context: EmitContext = { deps, planTopic, planPartitions, topicsSha, appender, signal }
  const targets = await prepareTargets(job, planPartitions)
  const own = before?.heads[0] ?? (await firstHead(deps, options, mapping, looked.clusterId, planPartitions, targets))
  const begun = await emitFirstHead(context, own, before)
  const first = must(begun.heads[0], 'head')
  checkSameMapping(first, mapping, looked.clusterId, planTopic)
  const part = await laterPart(deps, options.hold, targets, begun)
  const state = await emitMoreHeads(context, first, part, begun)
  await applyHold(deps, await topicsToHold(kafka, wanted, state))
  const planId = planIdOfJob(job, state)
  const filesAdded = await emitFiles(context, first, planId, wanted.chains, state)
  const what = filesAdded > 0 ? 'planned' : 'nothing new to plan'
  log.info({ planTopic, planPartitions, planId, filesAdded, restoreId: first.restoreId }, what)
  return resultOf(job, planId, filesAdded, first.restoreId)
}

/** The targets that the plan lacks, created where they are missing. */
async function prepareTargets(job: PlanJob, planPartitions: number): Promise<PlanTarget[]> {
  const { deps, options, fresh, seen, warnings, signal } = job
  const targets: PlanTarget[] = []
  for (const target of fresh) {
    try {
      targets.push(await prepareTarget(deps, target, !seen.has(target.topic), options, warnings))
    } catch (error) {
      if (!isMaxbrodError(error, 'TARGET_NOT_EMPTY')) throw error
      // Another planner may have planned it since we looked, and executors may be at work.
      const now = await readPlanState(deps.kafka, options.planTopic, planPartitions, signal)
      if (!isPlanned(now, target.topic)) throw error
    }
  }
  return targets
}

/**
 * The held targets that lack records, those about to be planned included. A topic that is complete is left as it is: it is
 * sealed, or it was finalized.
 */
async function topicsToHold({ admin }: Kafka, { chains }: Wanted, state: PlanState): Promise<string[]> {
  const held = targetsOf(state, 'auto')
  const ends = new PartitionMap<number>()
  for (const chain of chains) {
    const base = held.get(chain.target.topic)?.baseOffsets[chain.target.partition]
    if (base === undefined) continue
    const planned = state.chains.get(chainName(chain.target))
    const more = restOfChain(chain, planned).tiles.reduce((sum, { records }) => sum + records, 0)
    ends.set(chain.target, (ends.get(chain.target) ?? base + (planned?.records ?? 0)) + more)
  }
  const { offsets } = await admin.offsets('log end', [...ends.keys()])
  return [...new Set([...ends].filter(([at, end]) => (offsets.get(at) ?? 0) < end).map(([{ topic }]) => topic))]
}

/** The plan's id; targets that do not exist yet are named instead of identified. */
export function planIdOfJob({ options, mapping, looked, wanted, seen }: PlanJob, state: PlanState | undefined): string {
  const selection = [
    options.topics.map(String),
    options.excludeTopics.map(String),
    windowText(looked.window),
    options.incarnation ?? '',
  ]
  const idOf = (topic: string) => plannedTarget(state, topic)?.topicId ?? seen.get(topic)?.description.topicId ?? topic
  return planIdOf(
    selection,
    mapping,
    wanted.targets.map(({ topic }) => idOf(topic)),
    wanted.chains,
  )
}

export function resultOf(
  { options, looked, wanted, fresh, seen, preflight, leftOut, warnings }: PlanJob,
  planId: string,
  filesAdded: number,
  restoreId: string | undefined,
): PlanResult {
  const created = new Set(fresh.map(({ topic }) => topic).filter(topic => !seen.has(topic)))
  return {
    planTopic: options.planTopic,
    planId,
    restoreId,
    isDryRun: options.dryRun,
    restorationPoint: pointOf(looked),
    compacted: looked.compacted,
    filesAdded,
    topics: tableOf(wanted, created),
    preflight,
    foreignKeys: looked.foreignKeys.length,
    encryptedFiles: looked.sealedKeys.length,
    leftOut,
    warnings,
  }
}

function pointOf({ point }: LookedAt): PlanResult['restorationPoint'] {
  if (point === undefined) return undefined
  return { at: new Date(point.atMs).toISOString(), key: point.key, groups: point.groupsKey }
}

async function openPlanTopic(
  { kafka, clock }: PlannerDeps,
  { planTopic, planPartitions }: PlannerOptions,
  { chains }: Wanted,
): Promise<number> {
  const existing = await planTopicPartitions(kafka, planTopic)
  if (existing !== undefined) return existing
  const targets = new Set(chains.map(({ target }) => chainName(target))).size
  return createPlanTopic(kafka, clock, planTopic, planPartitions ?? Math.min(Math.max(targets, 1), PLAN_PARTITIONS_MAX))
}

function tableOf({ targets, chains }: Wanted, created: ReadonlySet<string>): PlanResult['topics'] {
  return targets.map(target => {
    const own = chains.filter(chain => chain.target.topic === target.topic)
    const tiles = own.flatMap(chain => chain.tiles)
    return {
      source: target.source,
      topicId: own[0]?.source.sourceTopicId,
      target: target.topic,
      created: created.has(target.topic),
      partitions: target.partitions,
      files: tiles.length,
      records: tiles.reduce((sum, { records }) => sum + records, 0),
      bytes: tiles.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  })
}
