import type { LeftOutPartition } from '../archive/compact/find-jobs.ts'
import type { Compaction, MadeGeneration } from '../archive/compact/made.ts'
import { formatBytes } from '../config/units.ts'
import { table } from '../observe/table.ts'
import type { Outcome } from './ending.ts'

const HEADINGS = ['topic', 'partition', 'from', 'to', 'files', 'records', 'size', '', 'generation']

/** How a command ended that makes generations: `upToDate` is said of partitions that need none, `last` behind all else. */
export function outcomeOfMaking(done: Compaction, say: { readonly upToDate: string; readonly last: string }): Outcome {
  const { made, upToDate, leftOut, isDryRun } = done
  const text = [
    madeTable(made),
    leftOutLines(leftOut),
    isDryRun ? 'nothing was written: --dry-run\n' : '',
    upToDate === 0 ? '' : `${upToDate} partitions ${say.upToDate}\n`,
    say.last,
  ].join('')
  const hasProblem = leftOut.some(({ isProblem }) => isProblem)
  return { result: hasProblem ? 'partial' : 'ok', details: { ...done }, text }
}

/** What was made of files, for people; nothing where there is none. */
function madeTable(made: readonly MadeGeneration[]): string {
  return made.length === 0 ? '' : table(HEADINGS, made.map(rowOf))
}

function leftOutLines(leftOut: readonly LeftOutPartition[]): string {
  return leftOut.map(({ folder, partition, reason }) => `${folder}/${partition} is left out: ${reason}\n`).join('')
}

function rowOf({ folder, partition, from, to, sources, files, generation }: MadeGeneration): (string | number)[] {
  const change = (before: number, after: number | undefined) =>
    after === undefined ? `${before}` : `${before} → ${after}`
  const bytes = files === undefined ? '' : ` → ${formatBytes(files.bytes)}`
  return [
    folder,
    partition,
    from,
    to,
    change(sources.files, files?.files),
    change(sources.records, files?.records),
    `${formatBytes(sources.bytes)}${bytes}`,
    '',
    `@${generation}`,
  ]
}
