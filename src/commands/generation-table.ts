import type { GenerationLine } from '../archive/list-generations.ts'
import { formatBytes } from '../config/units.ts'
import { table } from '../observe/table.ts'

/** What was made of the originals and lies beside them, for people; nothing where there is none. */
export function generationTable(lines: readonly GenerationLine[]): string {
  if (lines.length === 0) return ''
  const rows = lines.map(({ generation, topic, partition, partitions, files, records, bytes, unfinished }) => [
    `@${generation}`,
    partition === undefined ? topic : `${topic}/${partition}`,
    partitions,
    files,
    records,
    formatBytes(bytes),
    unfinished === 0 ? '' : `${unfinished} unfinished`,
  ])
  return `\n${table(['beside the originals', 'topic', 'partitions', 'files', 'records', 'size', ''], rows)}`
}
