import { keysOf } from '../archive/prune/delete.ts'
import type { PruneOptions } from '../archive/prune/options.ts'
import type { Pruned } from '../archive/prune/prune.ts'
import { isUnseen } from '../archive/prune/rules.ts'
import type { Superseded } from '../archive/prune/replaced-by.ts'
import type { JudgedTopic } from '../archive/prune/topics.ts'
import { formatBytes } from '../config/units.ts'
import { table } from '../observe/table.ts'
import type { Outcome } from './ending.ts'

/** Objects that the store did not let go which are printed; with -o json all are there. */
const NAMED = 20

/** What a prune tells of what it did, or would do. Pure. */
export function pruneOutcome(pruned: Pruned, { yes, grace }: PruneOptions): Outcome {
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
