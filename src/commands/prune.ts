import { keysOf } from '../archive/prune/delete.ts'
import { pruneArchive } from '../archive/prune/prune.ts'
import type { PruneDeps, Pruned } from '../archive/prune/prune.ts'
import { LIFECYCLE_RULES_MAX, lifecycleOf } from '../archive/prune/lifecycle.ts'
import { pruneOptions } from '../archive/prune/options.ts'
import type { PruneOptions } from '../archive/prune/options.ts'
import { isUnseen, readKeepRules } from '../archive/prune/rules.ts'
import { ruleTopics } from '../archive/prune/topics.ts'
import type { Superseded } from '../archive/prune/superseded.ts'
import type { JudgedTopic } from '../archive/prune/topics.ts'
import { formatBytes } from '../config/units.ts'
import { table } from '../observe/table.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { storageNearby } from '../storage/open.ts'
import { storageOptions } from '../storage/options.ts'
import type { StoragePlace } from '../storage/storage-url.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { requireClock } from './require-clock.ts'

export const prune = command({
  name: 'prune',
  summary: 'take the oldest files out of a backup: what would go, or with --yes for good',
  sections: [pruneOptions, storageOptions],
  examples: [
    { does: 'what would go if 30 days were kept', line: '--keep 30d --storage s3://bucket/shop' },
    {
      does: 'every night: what Kafka keeps, the backup keeps',
      line: '--keep as-source --yes --storage s3://bucket/shop',
    },
    {
      does: 'rules for the bucket itself',
      line: '--keep 30d --print-lifecycle --storage s3://bucket/shop > lifecycle.json',
    },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { clock, disk, logger, progress, stop, version } = context
    const store = await context.openErasableStore(values.storage, context)
    using _closing = { [Symbol.dispose]: () => store.close() }
    const deps: PruneDeps = {
      store,
      clock,
      disk,
      progress,
      log: logger,
      writer: `maxbrod ${version}`,
      pool: new BufferPool(0),
      nearbyArchives: () => storageNearby(values.storage, context, stop.draining),
    }
    if (values.prune.printLifecycle)
      return await lifecycleOutcome(deps, values.prune, values.storage.storage, stop.draining)
    await requireClock(values.storage, context)
    return outcomeOf(await pruneArchive(deps, values.prune, stop.draining), values.prune)
  },
})

async function lifecycleOutcome(
  deps: PruneDeps,
  options: PruneOptions,
  place: StoragePlace,
  signal: AbortSignal,
): Promise<Outcome> {
  if (place.kind !== 's3')
    throw new MaxbrodError('USAGE', '--print-lifecycle: a folder has no lifecycle rules', {
      hint: 'run maxbrod prune --yes from a timer instead',
    })
  const ruled = await ruleTopics(deps, options, await readKeepRules(deps.disk, options), signal)
  const { rules, without } = lifecycleOf(ruled, place.prefix)
  for (const { topic, why } of without) deps.log.warn({ topic, reason: why }, 'no lifecycle rule for a topic')
  if (rules.length > LIFECYCLE_RULES_MAX)
    throw new MaxbrodError('USAGE', `${rules.length} rules are more than the ${LIFECYCLE_RULES_MAX} of a bucket`, {
      hint: 'run maxbrod prune --yes from a timer, or narrow --topics',
    })
  const lifecycle = { Rules: rules }
  return { result: 'ok', details: { lifecycle, without }, text: `${JSON.stringify(lifecycle, undefined, 2)}\n` }
}

/** Objects that the store did not let go which are printed; with -o json all are there. */
const NAMED = 20

function outcomeOf(pruned: Pruned, { yes, grace }: PruneOptions): Outcome {
  const {
    topics,
    points,
    groups,
    definitions,
    reports,
    conflicts,
    generations,
    superseded,
    leftovers,
    waiting,
    pointsKept,
    record,
    deletion,
  } = pruned
  const replaced = superseded.flatMap(({ files }) => files)
  const outdated = superseded.flatMap(one => one.generations)
  const shown = topics.filter(one => one.isSelected).map(summaryOf)
  const unseen = topics.filter(({ rule }) => isUnseen(rule)).map(({ folder }) => folder.name)
  const sum = (pick: (one: Summary) => number) => shown.reduce((total, one) => total + pick(one), 0)
  const rows = shown.map(one => [
    one.folder,
    one.files,
    one.records ?? '?',
    formatBytes(one.bytes),
    one.keptFiles,
    formatBytes(one.keptBytes),
    one.why.join('; '),
  ])
  const headings = ['topic', 'files', 'records', 'size', 'stay', 'size', 'because']
  const refused = deletion?.refused ?? []
  const text = [
    table(headings, rows),
    `${sum(one => one.files)} files of ${formatBytes(sum(one => one.bytes))} ${yes ? 'were given up' : 'would go'}`,
    `, ${points.length} restoration points, ${groups.length} group snapshots, ${definitions.length} definitions of topics, ${reports.length} reports\n`,
    generations.length === 0
      ? ''
      : `${generations.flatMap(keysOf).length} files that were made of others, which nothing needs any more\n`,
    conflicts.length === 0
      ? ''
      : `${conflicts.length} files that lost a conflict, as old as what their topics keep: ${some(conflicts.map(({ key }) => key))}\n`,
    replaced.length === 0
      ? ''
      : `${replaced.length} files of ${formatBytes(replaced.reduce((total, { bytes }) => total + bytes, 0))} whose records are all in others\n`,
    outdated.length === 0
      ? ''
      : `${outdated.flatMap(keysOf).length} files that were made of others, and were replaced since\n`,
    leftovers === 0 ? '' : `${leftovers} files had been given up before and were still there\n`,
    unseen.length === 0
      ? ''
      : `${unseen.length} topics keep everything, because nothing says whether they are compacted: ${some(unseen)}\n`,
    pointsKept === 0 ? 'there is no restoration point: nothing says what Kafka still has\n' : '',
    record === undefined ? '' : `written down in ${record}\n`,
    waiting === 0
      ? ''
      : `${waiting} objects wait for the end of --grace ${Math.round(grace / 1000)}s, and a later run\n`,
    deletion === undefined ? 'nothing was changed: --yes does it\n' : `${deletion.deleted} objects deleted\n`,
    ...refused.slice(0, NAMED).map(({ key, reason }) => `not deleted: ${key}: ${reason}\n`),
    refused.length > NAMED ? `… and ${refused.length - NAMED} more that the store did not let go\n` : '',
    deletion === undefined || deletion.left === 0 ? '' : `${deletion.left} objects behind them stay for their sake\n`,
  ].join('')
  return {
    result: refused.length === 0 ? 'ok' : 'partial',
    details: {
      isDryRun: !yes,
      topics: shown,
      points: points.length,
      groups: groups.length,
      definitions: definitions.length,
      reports: reports.length,
      generations: generations.flatMap(keysOf).length,
      conflicts: conflicts.map(({ key }) => key),
      superseded: superseded.map(supersededOf),
      unseenConfigs: unseen,
      leftovers,
      waiting,
      record,
      deleted: deletion?.deleted ?? 0,
      refused,
      left: deletion?.left ?? 0,
    },
    text,
  }
}

function some(keys: readonly string[]): string {
  return `${keys.slice(0, NAMED).join(', ')}${keys.length > NAMED ? ', …' : ''}`
}

function supersededOf({ place: { topic, topicId, partition, lineage }, files, generations }: Superseded) {
  return {
    topic,
    topicId,
    partition,
    lineage,
    files: files.map(({ key }) => key),
    bytes: files.reduce((total, { bytes }) => total + bytes, 0),
    generations: generations.flatMap(({ first }) => first ?? []),
  }
}

type Summary = ReturnType<typeof summaryOf>

function summaryOf({ folder, partitions, leftovers }: JudgedTopic) {
  const ranges = partitions.flatMap(({ old }) => old.map(({ range }) => range))
  const kept = partitions.flatMap(one => one.kept ?? [])
  return {
    topic: folder.topic,
    folder: folder.name,
    files: ranges.reduce((sum, { files }) => sum + files, 0),
    records: ranges.reduce<number | undefined>(
      (sum, { records }) => (sum === undefined || records === undefined ? undefined : sum + records),
      0,
    ),
    bytes: ranges.reduce((sum, { bytes }) => sum + bytes, 0),
    keptFiles: kept.reduce((sum, { files }) => sum + files, 0),
    keptBytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
    /** Why the oldest files that stay do. */
    why: [...new Set(kept.map(({ why }) => why))],
    leftovers: leftovers.length,
    partitions: ranges.map(({ place: { partition, lineage }, ...range }) => ({ partition, lineage, ...range })),
  }
}
