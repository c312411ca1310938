import { describeTopic } from '../archive/describe.ts'
import type { DescribedChain, DescribedTopic } from '../archive/describe.ts'
import type { FileFacts } from '../archive/file-facts.ts'
import { describeOptions } from '../archive/options.ts'
import { formatBytes } from '../config/units.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import { ago, timeText } from '../observe/ago.ts'
import { table } from '../observe/table.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { generationTable } from './generation-table.ts'

export const describe = command({
  name: 'describe',
  summary: 'show what a backup holds of one topic or one partition',
  sections: [describeOptions, storageOptions, openingOptions],
  examples: [
    { does: 'a topic, by partition', line: '--storage s3://bucket/shop orders' },
    { does: 'one partition, by file', line: '--storage s3://bucket/shop orders/3' },
    { does: 'for a script', line: '-o json --storage s3://bucket/shop orders/3' },
  ],
  endsByItself: () => true,
  async run(values, context) {
    using deps = await openArchive(values.storage, values.opening, context, values.describe.headerIndex)
    const described = await describeTopic(deps, values.describe, context.stop.draining)
    return outcomeOf(described, deps.clock.now())
  },
})

function outcomeOf(described: DescribedTopic, now: number): Outcome {
  const { topic, definition, incarnations, generations, unreadable } = described
  const configs = Object.entries(definition?.configs ?? {})
  const text = [
    unreadable === undefined ? '' : `${unreadable.key}: ${unreadable.problem}\n`,
    definition === undefined
      ? `${topic}: ${unreadable === undefined ? 'no definition was saved' : 'its definition cannot be read'}\n`
      : `${topic}: ${definition.partitions} partitions, ${definition.replication_factor} replicas\n`,
    ...configs.map(([name, value]) => `  ${name}=${value}\n`),
    definition === undefined ? '' : inherited(definition),
    ...incarnations.flatMap(({ folder, topicId, chains }) => [
      `\n${folder}/, topic id ${topicId ?? 'unknown'}\n`,
      table(
        CHAIN_HEADINGS,
        chains.map(chain => chainRow(chain, now)),
      ),
      ...chains.flatMap(({ list }) => (list === undefined ? [] : [`\n${fileTable(list, now)}`])),
      ...chains.flatMap(notesOf),
    ]),
    generationTable(generations),
  ].join('')
  const problems = incarnations.flatMap(({ chains }) => chains.flatMap(chain => chain.problems))
  const isWhole = problems.length === 0 && unreadable === undefined
  return { result: isWhole ? 'ok' : 'partial', details: { ...described }, text }
}

/** What a reader of its configs would not expect. */
function inherited({ configs, clusterPolicy = 'delete' }: TopicDefinition): string {
  const isUsual = clusterPolicy === 'delete' || configs['cleanup.policy'] !== undefined
  return isUsual ? '' : `  cleanup.policy=${clusterPolicy}, as its cluster does by default\n`
}

const CHAIN_HEADINGS = [
  'partition',
  'from',
  'to',
  'files',
  'records',
  'size',
  'first record',
  'last record',
  'newest file',
]

function chainRow(one: DescribedChain, now: number): (string | number)[] {
  return [
    nameOf(one),
    one.from,
    one.to ?? '?',
    one.files,
    one.records ?? '?',
    formatBytes(one.bytes),
    one.timestampMin === undefined ? '' : timeText(one.timestampMin),
    one.timestampMax === undefined ? '' : timeText(one.timestampMax),
    one.newest === undefined ? '' : ago(one.newest.storedAtMs, now),
  ]
}

function fileTable(files: readonly FileFacts[], now: number): string {
  const rows = files.map(({ key, from, to, records, bytes, storedAtMs }) => [
    from,
    to ?? '?',
    records ?? '?',
    formatBytes(bytes),
    ago(storedAtMs, now),
    key,
  ])
  return table(['from', 'to', 'records', 'size', 'stored', 'file'], rows)
}

function notesOf(chain: DescribedChain): string[] {
  return [
    ...chain.gaps.map(
      ({ from, to, reason }) => `partition ${nameOf(chain)}: no records for offsets ${from} to ${to - 1} (${reason})\n`,
    ),
    ...chain.problems.map(({ key, problem }) => `${key}: ${problem}\n`),
  ]
}

/** As in the keys: `3`, or `3@e7` after an unclean leader election. */
function nameOf({ partition, lineage }: DescribedChain): string {
  return lineage === undefined ? `${partition}` : `${partition}@e${lineage}`
}
