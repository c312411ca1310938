import { createHash } from 'node:crypto'
import type { PlanMapping, PlanTarget } from '../format/plan.ts'
import type { TopicDescription } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import { applyHold } from './apply-hold.ts'
import { planIdOf } from './build-plan.ts'
import type { PlannerDeps } from './deps.ts'
import { emitFirstHead, emitPlan } from './emit.ts'
import type { EmitContext } from './emit.ts'
import { checkSameMapping, firstHead, headFor, plannedTarget } from './head.ts'
import type { LookedAt } from './look.ts'
import type { PlannerOptions } from './options.ts'
import { createPlanTopic, planTopicPartitions } from './plan-topic.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import { prepareTarget } from './prepare-targets.ts'
import type { PlanResult } from './result.ts'
import type { WantedTarget } from './targets.ts'
import type { Wanted } from './want.ts'

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
  readonly existing: ReadonlyMap<string, TopicDescription>
  readonly warnings: string[]
  readonly signal: AbortSignal
}

const PLAN_PARTITIONS_MAX = 50

/** Creates what is missing, writes the plan, then holds the targets: in this order, because the head says what to put back. */
export async function writePlan(job: PlanJob): Promise<PlanResult> {
  const { deps, options, mapping, looked, wanted, before, signal } = job
  const { kafka, log } = deps
  const { planTopic } = options
  const planPartitions = await openPlanTopic(deps, options, wanted)
  using appender = kafka.newAppender()
  const sources = wanted.targets.map(({ source }) => source).join(',')
  const topicsSha = createHash('sha256').update(sources).digest('hex')
  const context: EmitContext = { deps, planTopic, planPartitions, topicsSha, appender, signal }
  const targets: PlanTarget[] = []
  for (const target of job.fresh) targets.push(await prepareTarget(deps, target, job.existing, options, job.warnings))
  const own = before?.heads[0] ?? (await firstHead(deps, options, mapping, looked.clusterId, planPartitions, targets))
  const state = await emitFirstHead(context, own)
  const first = must(state.heads[0], 'head')
  checkSameMapping(first, mapping, looked.clusterId, planTopic)
  const planId = planIdOfJob(job, targets)
  const filesAdded = await emitPlan(context, planId, wanted.chains, now => headFor(first, targets, now))
  await applyHold(deps, (await readPlanState(kafka, planTopic, planPartitions, signal)).heads)
  const what = filesAdded > 0 ? 'planned' : 'nothing new to plan'
  log.info({ planTopic, planId, filesAdded, restoreId: first.restoreId }, what)
  return resultOf(job, planId, filesAdded, first.restoreId)
}

/** The plan's id; targets that do not exist yet are named instead of identified. */
export function planIdOfJob(
  { options, mapping, wanted, before, existing }: PlanJob,
  targets: readonly PlanTarget[],
): string {
  const selection = [options.topics.map(String), options.excludeTopics.map(String)]
  const idOf = (topic: string) =>
    targets.find(target => target.topic === topic)?.topicId ??
    plannedTarget(before, topic)?.topicId ??
    existing.get(topic)?.topicId ??
    topic
  return planIdOf(
    selection,
    mapping,
    wanted.targets.map(({ topic }) => idOf(topic)),
    wanted.chains,
  )
}

export function resultOf(
  { options, looked, wanted, existing, warnings }: PlanJob,
  planId: string,
  filesAdded: number,
  restoreId: string | undefined,
): PlanResult {
  return {
    planTopic: options.planTopic,
    planId,
    restoreId,
    isDryRun: options.dryRun,
    filesAdded,
    topics: tableOf(wanted, existing),
    foreignKeys: looked.foreignKeys.length,
    warnings,
  }
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
