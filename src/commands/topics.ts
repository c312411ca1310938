import { HeldTopics } from '../backup/topics/held-topics.ts'
import { backupSelection, selectTopics } from '../backup/topics/selection.ts'
import type { BackedUpTopics } from '../backup/topics/selection.ts'
import { looseRegexes, plainNames } from '../config/kinds-of-others.ts'
import { regexList } from '../config/kinds-of-list.ts'
import { flag } from '../config/kinds-of-text.ts'
import { section } from '../config/section.ts'
import { drillTopics } from '../format/drill-names.ts'
import { kafkaOptions } from '../kafka/options.ts'
import type { Kafka } from '../kafka/port.ts'
import type { TopicDescription } from '../kafka/port/admin.ts'
import { table } from '../observe/table.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

const topicsOptions = section('topics', {
  topics: regexList({
    default: ['.*'],
    foreign: [
      { flag: 'topics-regex', env: 'KAFKA_TOPICS_REGEX', kind: looseRegexes },
      { flag: 'topic', kind: plainNames },
    ],
    doc: 'Topics that are to be backed up, as for maxbrod backup. Others are listed as well, with the reason why not.',
  }),
  excludeTopics: regexList({
    foreign: [{ flag: 'exclude-topics-regex', env: 'KAFKA_EXCLUDE_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics to leave out, as for maxbrod backup.',
  }),
  includeInternal: flag({ doc: "Kafka's internal topics, too, as for maxbrod backup." }),
  details: flag({ doc: 'List every partition, with its offsets.' }),
})

/** `yes`, or why a backup leaves a topic out. */
export type BackedUp = 'yes' | 'held by a restore' | 'of a drill' | 'internal' | 'excluded' | 'not matched'

interface ListedTopic extends TopicDescription {
  readonly backedUp: BackedUp
}

interface ListedPartition extends TopicPartition {
  /** Undefined where the cluster does not tell: no leader, or no rights. */
  readonly start: number | undefined
  readonly end: number | undefined
}

export const topics = command({
  name: 'topics',
  summary: 'list the topics of a cluster, and which of them a backup takes',
  sections: [topicsOptions, kafkaOptions],
  examples: [
    { does: 'what would these expressions take?', line: "--topics 'shop\\..*' --exclude-topics '.*\\.tmp'" },
    { does: 'every partition with its offsets', line: '--details' },
    { does: 'for a script', line: '-o json' },
  ],
  endsByItself: () => true,
  async run({ topics: options, kafka: kafkaValues }, context) {
    const { clock, logger: log } = context
    await using kafka = await context.openKafka(kafkaValues, context)
    const all = await kafka.admin.topics()
    const held = new HeldTopics({ kafka, clock, log })
    await selectTopics(kafka.admin, backupSelection(options, held))
    const listed = all
      .map(topic => ({ ...topic, backedUp: backedUp(topic, options, held.names) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    return outcomeOf(listed, options.details ? await partitionsOf(kafka, listed) : undefined)
  },
})

export function backedUp(topic: TopicDescription, options: BackedUpTopics, held: readonly string[]): BackedUp {
  if (backupSelection(options).matches(topic)) return held.includes(topic.name) ? 'held by a restore' : 'yes'
  if (!options.topics.some(regex => regex.test(topic.name))) return 'not matched'
  if (options.excludeTopics.some(regex => regex.test(topic.name))) return 'excluded'
  return drillTopics.test(topic.name) ? 'of a drill' : 'internal'
}

async function partitionsOf({ admin }: Kafka, listed: readonly ListedTopic[]): Promise<ListedPartition[]> {
  const all = listed.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  const [starts, ends] = await Promise.all([admin.offsets('log start', all), admin.offsets('high watermark', all)])
  return all.map(where => ({ ...where, start: starts.offsets.get(where), end: ends.offsets.get(where) }))
}

function outcomeOf(listed: readonly ListedTopic[], partitions: readonly ListedPartition[] | undefined): Outcome {
  const rows = listed.map(one => [
    one.name,
    one.partitions,
    one.replicationFactor,
    one.error === undefined ? one.backedUp : `${one.backedUp}, but ${one.error}`,
  ])
  const taken = listed.filter(one => one.backedUp === 'yes').length
  const text = [
    rows.length === 0 ? '' : table(['topic', 'partitions', 'replicas', 'backed up'], rows),
    partitions === undefined || partitions.length === 0
      ? ''
      : `\n${table(['topic', 'partition', 'start', 'end', 'offsets'], partitions.map(partitionRow))}`,
    `a backup takes ${taken} of ${listed.length} topics\n`,
  ].join('')
  const details = listed.map(({ name: topic, ...rest }) => ({ topic, ...rest }))
  return { result: 'ok', details: { topics: details, ...(partitions === undefined ? {} : { partitions }) }, text }
}

function partitionRow({ topic, partition, start, end }: ListedPartition): (string | number)[] {
  const offsets = start === undefined || end === undefined ? 'unknown' : end - start
  return [topic, partition, start ?? 'unknown', end ?? 'unknown', offsets]
}
