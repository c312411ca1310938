import type { LeftOutPartition } from '../archive/compact/find-jobs.ts'
import type { MadeGeneration } from '../archive/compact/made.ts'
import { formatBytes } from '../config/units.ts'
import { table } from '../observe/table.ts'

const HEADINGS = ['topic', 'partition', 'from', 'to', 'files', 'records', 'size', '', 'generation']

/** What was made of files, for people; nothing where there is none. */
export function madeTable(made: readonly MadeGeneration[]): string {
  return made.length === 0 ? '' : table(HEADINGS, made.map(rowOf))
}

export function leftOutLines(leftOut: readonly LeftOutPartition[]): string {
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
