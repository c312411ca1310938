import { table } from '../observe/table.ts'
import type { PreflightRow } from './preflight.ts'

/** Short words for the configs whose names would make the table too wide. */
const COLUMNS = [
  ['cleanup.policy', 'cleanup'],
  ['retention.ms', 'retention.ms'],
  ['retention.bytes', 'retention.bytes'],
  ['max.message.bytes', 'max.message'],
  ['min.insync.replicas', 'in sync'],
  ['message.timestamp.type', 'timestamps'],
] as const

/** The pre-flight for people: a row for each target, and below it what is to be said of some of them. Pure. */
export function preflightTable(rows: readonly PreflightRow[]): string {
  const headings = ['source', 'target', 'topic', 'partitions', 'holds', ...COLUMNS.map(([, word]) => word), 'verdict']
  const cells = rows.map(row => [
    row.source,
    row.target,
    row.topic,
    sizeOf(row),
    contentOf(row),
    ...COLUMNS.map(([name]) => row.configs[name] ?? '-'),
    row.verdict,
  ])
  const reasons = rows.flatMap(({ target, verdict, reasons: of }) =>
    of.map(reason => `${verdict}: ${reason.startsWith(target) ? '' : `${target}: `}${reason}\n`),
  )
  return `${table(headings, cells)}${reasons.join('')}\n`
}

function sizeOf({ partitions, sourcePartitions }: PreflightRow): string {
  return partitions === sourcePartitions ? String(partitions) : `${partitions} of ${sourcePartitions}`
}

function contentOf({ records, ownedBy }: PreflightRow): string {
  if (records === undefined) return 'unknown'
  return records === 0 ? 'nothing' : `${records} of ${ownedBy}`
}
