import { PRODUCER_EXPIRATION, brokerDefaultsOf, releaseChanges } from '../format/hold.ts'
import type { PlanTarget } from '../format/plan.ts'
import type { Logger } from '../observe/logger.ts'
import type { ConfigEntry } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError, isMaxbrodError, messageOf } from '../runtime/errors.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { planNow } from './completion.ts'
import type { CompletePlan } from './completion.ts'
import { predictExpiry } from './expiry.ts'
import type { Expiry } from './expiry.ts'
import { configsAfter } from './final-configs.ts'
import type { Configs } from './final-configs.ts'
import type { FinalizeOptions } from './finalize-options.ts'
import { checkPlanTopic, headsWith, readHeads } from './plan-reader.ts'

export interface FinalizeDeps {
  readonly kafka: Kafka
  readonly clock: Clock
  readonly log: Logger
}

/** finalized: has its own configs again. would be: a dry run. untouched: it was not held any more. The others stay held. */
export type FinalState = 'finalized' | 'would be' | 'untouched' | 'unfinished' | 'would expire' | 'gone'

export interface FinalizedTopic extends Expiry {
  readonly topic: string
  readonly state: FinalState
  readonly reason: string
  /** What is set, or would be: value, or null for what is taken away. */
  readonly configs: Readonly<Record<string, string | null>>
}

export interface FinalizeResult {
  readonly planTopic: string
  readonly topics: readonly FinalizedTopic[]
  /** True when the brokers got back what the hold had changed for all of them. */
  readonly brokersRestored: boolean
}

/**
 * Gives the targets of a complete restore their own configs back, topic by topic. A topic that lacks records stays held; so
 * does one of which records would expire then, unless that was accepted. Running it again finishes what was left.
 */
export async function runFinalize(
  deps: FinalizeDeps,
  options: FinalizeOptions,
  signal: AbortSignal,
): Promise<FinalizeResult> {
  const { kafka, clock, log } = deps
  const { planTopic, dryRun, yes } = options
  const first = await readHeads(kafka, planTopic, signal)
  const head = await checkPlanTopic(kafka, planTopic, first)
  const { plan } = await planNow(kafka, planTopic, head, signal)
  if (plan === undefined)
    throw new MaxbrodError('PLAN_CORRUPT', `${planTopic} is not complete: a planner is at work, or died`, {
      hint: 'run maxbrod plan again',
    })
  const planned = [...plan.records.keys()].map(({ topic }) => topic)
  const heads = await headsWith(first, planned, kafka, planTopic, signal)
  const broker = await kafka.admin.brokerConfigs()
  const topics: FinalizedTopic[] = []
  for (const target of heads.filter(({ hold }) => hold === 'auto').flatMap(({ targets }) => targets)) {
    signal.throwIfAborted()
    const found = await judge(kafka, target, plan, broker, clock.now())
    const state =
      found.state === 'would be' && found.expired.length > 0 && !yes && !dryRun ? 'would expire' : found.state
    if (state === 'would be' && !dryRun) {
      await kafka.admin.alterTopicConfigs(target.topic, new Map(Object.entries(found.configs)))
      log.info({ topic: target.topic, configs: Object.keys(found.configs).join(',') }, 'finalized')
      topics.push({ ...found, state: 'finalized' })
    } else
      topics.push({
        ...found,
        state,
        reason: state === 'would expire' ? 'records would expire, see --yes' : found.reason,
      })
  }
  const isDone = topics.every(({ state }) => state === 'finalized' || state === 'untouched')
  const brokersRestored = isDone && !dryRun && (await restoreBrokers(deps, broker, brokerDefaultsOf(heads)))
  return { planTopic, topics, brokersRestored }
}

/** What is to be done with a target, and what that will cost it. */
async function judge(
  kafka: Kafka,
  target: PlanTarget,
  plan: CompletePlan,
  broker: readonly ConfigEntry[],
  nowMs: number,
): Promise<FinalizedTopic> {
  const { topic, topicId, finalConfigs } = target
  const as = (state: FinalState, reason: string, changes: Configs = new Map(), expiry: Expiry = nothingExpires) =>
    ({ topic, state, reason, configs: Object.fromEntries(changes), ...expiry }) satisfies FinalizedTopic
  const [description] = await kafka.admin.topics([topic])
  if (description === undefined || description.topicId !== topicId)
    return as('gone', description === undefined ? 'it was deleted' : 'it is another topic by now')
  const present = (await kafka.admin.topicConfigs([topic])).get(topic) ?? []
  const changes = releaseChanges(present, finalConfigs)
  if (changes.size === 0) return as('untouched', 'it is not held')
  const missing = await missingOf(kafka, target, plan)
  if (missing !== undefined) return as('unfinished', missing)
  const partitions = target.baseOffsets.map((_, partition) => ({ topic, partition }))
  return as(
    'would be',
    '',
    changes,
    await predictExpiry(kafka, partitions, configsAfter(present, changes, broker), nowMs),
  )
}

const nothingExpires: Expiry = { expired: [], remarks: [] }

/** What a target lacks of its plan, in words; undefined when all is there. */
async function missingOf(
  kafka: Kafka,
  { topic, baseOffsets }: PlanTarget,
  plan: CompletePlan,
): Promise<string | undefined> {
  const partitions: TopicPartition[] = baseOffsets.map((_, partition) => ({ topic, partition }))
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  for (const [partition, base] of baseOffsets.entries()) {
    const where = { topic, partition }
    const start = starts.offsets.get(where)
    const end = ends.offsets.get(where)
    if (start === undefined || end === undefined) return `${topic}-${partition} has no leader`
    if (start > base) return `${topic}-${partition} begins at ${start}: restored records were deleted`
    const planned = plan.records.get(where) ?? 0
    if (end - base < planned) return `${topic}-${partition} has ${end - base} of ${planned} records`
  }
  return undefined
}

/** Gives all brokers back what the hold had raised. Where that is not allowed, it was not raised either. */
async function restoreBrokers(
  { kafka, log }: FinalizeDeps,
  broker: readonly ConfigEntry[],
  defaults: Readonly<Record<string, string | null>>,
): Promise<boolean> {
  const { name, value } = PRODUCER_EXPIRATION
  const isRaised = broker.some(entry => entry.name === name && entry.value === value)
  if (!isRaised || !Object.hasOwn(defaults, name)) return false
  try {
    await kafka.admin.alterBrokerDefaults(new Map([[name, defaults[name] ?? null]]))
    return true
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    log.warn({ reason: messageOf(error) }, `cannot put ${name} of the brokers back`)
    return false
  }
}
