import { PRODUCER_EXPIRATION, brokerDefaultsOf, releaseChanges } from '../format/hold.ts'
import type { PlanTarget } from '../format/plan.ts'
import type { ConfigEntry } from '../kafka/port/admin.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlannerOptions } from './options.ts'
import { planTopicPartitions } from './plan-topic.ts'
import { requireNobodyAtWork } from './plan-readers.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'

const WAIT_MS = 200
const WAIT_DEADLINE_MS = 30_000

type RestartOptions = Pick<PlannerOptions, 'planTopic' | 'append'>

/**
 * The plan that is to be forgotten; undefined when there is none, be the topic there or not: an empty one is not ours to
 * delete. Throws PLAN_FOREIGN for a topic that is no plan.
 */
export async function oldPlan(
  { kafka }: PlannerDeps,
  { planTopic, append }: RestartOptions,
  signal: AbortSignal,
): Promise<PlanState | undefined> {
  if (append)
    throw new MaxbrodError('USAGE', '--restart-plan needs empty targets, and --append full ones', {
      hint: 'to restore behind what is there, plan into a new --plan-topic',
    })
  const partitions = await planTopicPartitions(kafka, planTopic)
  if (partitions === undefined) return undefined
  const state = await readPlanState(kafka, planTopic, partitions, signal)
  return state.heads.length === 0 ? undefined : state
}

/**
 * Forgets a plan: what it holds gets its own configs back, and the plan topic goes. First it is made sure that nothing can be
 * lost by that: no executor is at work, and no target of the plan holds a record of it, held or not. kill -9 at any moment leaves the
 * plan, which can be forgotten again, or no plan.
 */
export async function forgetPlan(deps: PlannerDeps, options: PlannerOptions, old: PlanState): Promise<void> {
  const { kafka, clock, log } = deps
  const { planTopic, dryRun } = options
  await releasesOf(deps, old) // refuses before anything is changed
  if (dryRun) return
  await requireNobodyAtWork(
    deps,
    planTopic,
    old.partitions.map(({ partition }) => partition),
  )
  // Again: until it ended, an executor may have written.
  for (const [topic, changes] of await releasesOf(deps, old)) await kafka.admin.alterTopicConfigs(topic, changes)
  await releaseBrokers(deps, old)
  await kafka.admin.deleteTopic(planTopic)
  const startedAt = clock.monotonic()
  while ((await kafka.admin.topics([planTopic])).length > 0) {
    if (clock.monotonic() - startedAt > WAIT_DEADLINE_MS)
      throw new MaxbrodError('KAFKA_GAVE_UP', `${planTopic} was deleted and is still there`, {
        hint: 'see whether the cluster deletes topics (delete.topic.enable), or use another --plan-topic',
      })
    await clock.sleep(WAIT_MS)
  }
  log.info({ planTopic, restoreId: old.heads[0]?.restoreId }, 'the plan is forgotten')
}

/** What gives the held targets their own configs back. Throws TARGET_NOT_EMPTY for any target with records of the plan. */
async function releasesOf(
  deps: PlannerDeps,
  { heads }: PlanState,
): Promise<ReadonlyMap<string, ReadonlyMap<string, string | null>>> {
  const releases = new Map<string, ReadonlyMap<string, string | null>>()
  for (const { hold, targets } of heads) {
    for (const target of targets) {
      const configs = await untouchedConfigs(deps, target)
      const changes = releaseChanges(hold === 'auto' ? configs : [], target.finalConfigs)
      if (changes.size > 0) releases.set(target.topic, changes)
    }
  }
  return releases
}

/** The configs of a target without a record of the plan; none when it is gone, or another topic now. Throws TARGET_NOT_EMPTY. */
async function untouchedConfigs(
  { kafka }: PlannerDeps,
  { topic, topicId, baseOffsets }: PlanTarget,
): Promise<readonly ConfigEntry[]> {
  const [found] = await kafka.admin.topics([topic])
  if (found === undefined || found.topicId !== topicId) return []
  const configs = (await kafka.admin.topicConfigs([topic])).get(topic) ?? []
  const partitions = baseOffsets.map((base, partition) => ({ topic, partition, base }))
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  const full = partitions.find(one => {
    const end = ends.offsets.get(one)
    return end === undefined || (starts.offsets.get(one) !== end && end > one.base)
  })
  if (full === undefined) return configs
  throw new MaxbrodError(
    'TARGET_NOT_EMPTY',
    `${partitionName(full)} holds records of the plan that would be forgotten`,
    {
      topic,
      partition: full.partition,
      hint: 'empty or delete the topic first, or plan into a new --plan-topic',
    },
  )
}

async function releaseBrokers({ kafka }: PlannerDeps, { heads }: PlanState): Promise<void> {
  const { name, value } = PRODUCER_EXPIRATION
  const defaults = brokerDefaultsOf(heads)
  const isRaised = (await kafka.admin.brokerConfigs()).some(entry => entry.name === name && entry.value === value)
  if (isRaised && Object.hasOwn(defaults, name))
    await kafka.admin.alterBrokerDefaults(new Map([[name, defaults[name] ?? null]]))
}
