import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import { heldConfigs, valuesBeforeHold } from '../format/hold.ts'
import type { PlanTarget } from '../format/plan.ts'
import type { ConfigEntry, Kafka, TopicDescription } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'

/** A topic that a restore writes to. */
export interface WantedTarget {
  readonly source: string
  readonly topic: string
  /** How many partitions the source had. */
  readonly partitions: number
  readonly definition: TopicDefinition | undefined
  /** The largest record, in its Avro form. */
  readonly recordBytesMax: number
  /** Of all records, in ms; undefined when there is none. */
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
}

export interface TargetOptions {
  readonly createTopics: boolean
  readonly append: boolean
  readonly hold: 'auto' | 'off'
  readonly partitionMap: 'same' | 'modulo'
}

/** What a record grows by: header `restore.source-offset`, lengths and deltas, and the header of its batch. */
export const RECORD_GROWTH_BYTES = 128

/** Looks at the target cluster without changing it. Throws TARGET_MISSING and the like, for all targets at once. */
export async function inspectTargets(
  kafka: Kafka,
  wanted: readonly WantedTarget[],
  options: Pick<TargetOptions, 'createTopics' | 'partitionMap'>,
): Promise<Map<string, TopicDescription>> {
  const existing = await describeTopics(kafka, wanted)
  const missing = wanted.filter(({ topic }) => !existing.has(topic))
  if (missing.length > 0 && !options.createTopics) {
    throw new MaxbrodError(
      'TARGET_MISSING',
      `${list(missing.map(({ topic }) => topic))} ${missing.length === 1 ? 'does' : 'do'} not exist in the target cluster`,
      {
        topics: missing.map(({ topic }) => topic),
        hint: 'create them with the partitions of their sources, or add --create-topics',
      },
    )
  }
  if (options.partitionMap === 'modulo') return existing
  const unequal = wanted.flatMap(target => whyUnequal(target, existing.get(target.topic)) ?? [])
  if (unequal.length > 0) throw unequalSizes(unequal)
  return existing
}

/** Throws TARGET_PARTITIONS for a target that has not the size of its source: somebody else created it meanwhile. */
export function requireSameSize(target: WantedTarget, description: TopicDescription): void {
  const reason = whyUnequal(target, description)
  if (reason !== undefined) throw unequalSizes([reason])
}

/** A backup without definitions does not know of partitions that never held a record: a larger target may be right. */
function whyUnequal(
  { topic, partitions, definition }: WantedTarget,
  description: TopicDescription | undefined,
): string | undefined {
  const actual = description?.partitions ?? partitions
  if (actual === partitions || (definition === undefined && actual > partitions)) return undefined
  return `${topic} has ${actual} partitions where its source has ${partitions}`
}

function unequalSizes(reasons: readonly string[]): MaxbrodError {
  return new MaxbrodError('TARGET_PARTITIONS', list(reasons), {
    hint: 'restore into a topic of the same size: keys would be in other partitions otherwise',
  })
}

/** Targets that the plan has must still be the topics that they were when they were planned. Throws TARGET_REPLACED. */
export async function checkPlanned(kafka: Kafka, planned: readonly PlanTarget[]): Promise<void> {
  if (planned.length === 0) return
  const existing = await describeTopics(kafka, planned)
  for (const { topic, topicId } of planned) {
    const found = existing.get(topic)
    if (found !== undefined && found.topicId === topicId) continue
    throw new MaxbrodError(
      'TARGET_REPLACED',
      `${topic} is ${found === undefined ? 'gone' : 'another topic'} since the restore was planned`,
      { topic, hint: 'plan again with --restart-plan, or into a new --plan-topic' },
    )
  }
}

async function describeTopics(
  kafka: Kafka,
  wanted: readonly { readonly topic: string }[],
): Promise<Map<string, TopicDescription>> {
  const topics = await kafka.admin.topics(wanted.map(({ topic }) => topic))
  const hidden = topics.find(({ error }) => error !== undefined)
  if (hidden !== undefined) {
    throw new MaxbrodError('KAFKA_AUTH', `cannot look at the target topic ${hidden.name}: ${hidden.error}`, {
      topic: hidden.name,
      hint: 'grant Describe, DescribeConfigs, AlterConfigs and Write on it',
    })
  }
  return new Map(topics.map(topic => [topic.name, topic]))
}

/** A topic that is there, and its configs. */
export interface DescribedTopic {
  readonly description: TopicDescription
  readonly configs: readonly ConfigEntry[]
}

export async function describeTopic({ admin }: Kafka, topic: string): Promise<DescribedTopic> {
  const description = must((await admin.topics([topic]))[0], `topic ${topic}`)
  return { description, configs: (await admin.topicConfigs([topic])).get(topic) ?? [] }
}

/**
 * Creates a target like its source. A smaller cluster cannot hold as many replicas, and gives it its own default number then:
 * `fewer replicas`.
 */
export async function createTarget(
  kafka: Kafka,
  { topic, partitions, definition, recordBytesMax }: WantedTarget,
): Promise<'like its source' | 'fewer replicas'> {
  const configs = new Map(Object.entries(definition?.configs ?? {}))
  const limit = Number(configs.get('max.message.bytes') ?? Number.NaN)
  if (limit < recordBytesMax + RECORD_GROWTH_BYTES)
    configs.set('max.message.bytes', String(recordBytesMax + RECORD_GROWTH_BYTES))
  const wanted = definition?.replication_factor ?? -1
  try {
    await kafka.admin.createTopic({ name: topic, partitions, replicationFactor: wanted, configs })
    return 'like its source'
  } catch (error) {
    if (wanted < 0 || !(error instanceof MaxbrodError) || !error.message.includes('INVALID_REPLICATION_FACTOR'))
      throw error
  }
  await kafka.admin.createTopic({ name: topic, partitions, replicationFactor: -1, configs })
  return 'fewer replicas'
}

/**
 * A target with fewer replicas than must be in sync takes no record at all. One like its source, in a cluster that is too
 * small for it, gets as many as it has. Answers with what to tell, if anything; also where a planner died before it did so.
 */
export async function acceptFewerReplicas(
  { admin }: Kafka,
  { topic, definition }: WantedTarget,
  { description: { replicationFactor: replicas }, configs }: DescribedTopic,
  created: 'like its source' | 'fewer replicas' | undefined,
): Promise<string | undefined> {
  const wanted = definition?.replication_factor
  const name = 'min.insync.replicas'
  const inSync = configs.find(config => config.name === name)?.value ?? null
  const isTooMany = Number(inSync ?? 0) > replicas
  const lowered = `${topic} has ${replicas} replicas, where its source had ${wanted}: the cluster is too small for more`
  if (!isTooMany) return created === 'fewer replicas' ? lowered : undefined
  if (created === undefined && inSync !== definition?.configs[name])
    return `nothing can be written to ${topic}: it has ${replicas} replicas, and ${inSync} must be in sync (${name})`
  await admin.alterTopicConfigs(topic, new Map([[name, String(replicas)]]))
  return `${lowered}; ${name} is ${replicas} instead of ${inSync}`
}

/** What a head record says of a target, with the configs that finalize will put back. Throws TARGET_NOT_EMPTY. */
export async function describeTarget(
  kafka: Kafka,
  wanted: WantedTarget,
  { description, configs }: DescribedTopic,
  created: boolean,
  options: TargetOptions,
): Promise<PlanTarget> {
  const partitions = Array.from({ length: description.partitions }, (_, partition) => ({
    topic: wanted.topic,
    partition,
  }))
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  const baseOffsets = partitions.map(partition => {
    const start = starts.offsets.get(partition)
    const end = ends.offsets.get(partition)
    if (start === undefined || end === undefined)
      throw new MaxbrodError('KAFKA_GAVE_UP', `cannot tell where ${partitionName(partition)} begins and ends`, {
        ...partition,
      })
    if (start !== end && !options.append) {
      throw new MaxbrodError(
        'TARGET_NOT_EMPTY',
        `${partitionName(partition)} already holds records (${start} to ${end - 1})`,
        {
          ...partition,
          hint: 'restore under another name with --rename or --target-prefix, empty the topic, or add --append',
        },
      )
    }
    return end
  })
  return {
    topic: wanted.topic,
    topicId: description.topicId,
    created,
    finalConfigs: options.hold === 'off' ? {} : finalConfigs(wanted, configs, created),
    baseOffsets,
  }
}

/** A topic that was created here gets its source's configs in the end, another one those that it had. */
function finalConfigs(
  { definition }: WantedTarget,
  configs: readonly ConfigEntry[],
  created: boolean,
): Record<string, string | null> {
  if (!created) return { ...valuesBeforeHold(configs) }
  const source = new Map(Object.entries(definition?.configs ?? {}))
  return Object.fromEntries([...heldConfigs(configs).keys()].map(name => [name, source.get(name) ?? null]))
}

function list(items: readonly string[]): string {
  const shown = items.slice(0, 10)
  return shown.join(', ') + (items.length > shown.length ? ` and ${items.length - shown.length} more` : '')
}
