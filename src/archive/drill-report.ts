import { formatBytes } from '../config/units.ts'
import { timeText } from '../observe/ago.ts'
import { table } from '../observe/table.ts'
import type { Difference } from './compare-records.ts'

/** One topic of a drill. */
export interface DrilledTopic {
  readonly topic: string
  readonly partitions: number
  readonly files: number
  readonly bytes: number
  readonly recordsPlanned: number
  readonly recordsRestored: number
  /** Of the archive, that were looked for in what was restored. */
  readonly recordsCompared: number
  readonly timestampMin: bigint | undefined
  /** Up to when the records go. */
  readonly timestampMax: bigint | undefined
  readonly differences: number
}

export interface NamedDifference extends Difference {
  readonly topic: string
  readonly partition: number
}

/** A partition that could not be restored, or not compared, as a whole. */
export interface Shortfall {
  readonly topic: string
  readonly partition: number
  readonly says: string
}

/** What a drill did and found, for people and for programs. */
export interface DrillReport {
  readonly drill: string
  readonly storage: string
  readonly startedAt: string
  /** What share of each partition's offsets was taken. */
  readonly sample: number
  readonly restorationPoint: { readonly at: string; readonly groups: string | undefined } | undefined
  readonly topics: readonly DrilledTopic[]
  readonly seconds: {
    readonly plan: number
    readonly restore: number
    readonly compare: number
    readonly total: number
  }
  readonly records: number
  readonly bytes: number
  /** While it restored. */
  readonly recordsPerSecond: number
  readonly differences: number
  /** The first ten thousand of them. */
  readonly differing: readonly NamedDifference[]
  readonly incomplete: readonly Shortfall[]
  readonly warnings: readonly string[]
  /** Topics of this drill that could not be removed, and why. */
  readonly left: readonly string[]
  readonly leftReason: string | undefined
  /** Topics of earlier drills that died, which this one has removed. */
  readonly leftoversRemoved: readonly string[]
}

/** Differences that are printed; all are in the JSON. */
const PRINTED = 100

/** Records of the archive that were looked for: with none of them nothing is proved. Pure. */
export function comparedBy({ topics }: Pick<DrillReport, 'topics'>): number {
  return topics.reduce((sum, one) => sum + one.recordsCompared, 0)
}

/** The report as text. Pure. */
export function drillText(report: DrillReport): string {
  const { topics, seconds, records, bytes, recordsPerSecond, differences, differing, incomplete, restorationPoint } =
    report
  const headings = ['topic', 'partitions', 'files', 'records', 'restored', 'compared', 'first record', 'last record']
  const rows = topics.map(one => [
    one.topic,
    one.partitions,
    one.files,
    one.recordsPlanned,
    one.recordsRestored,
    one.recordsCompared,
    one.timestampMin === undefined ? '' : timeText(one.timestampMin),
    one.timestampMax === undefined ? '' : timeText(one.timestampMax),
  ])
  const more = differences - Math.min(differing.length, PRINTED)
  return [
    rows.length === 0 ? '' : table(headings, rows),
    ...report.warnings.map(warning => `note: ${warning}\n`),
    ...incomplete.map(({ topic, partition, says }) => `${topic}-${partition}: ${says}\n`),
    ...differing.slice(0, PRINTED).map(one => `DIFFERS  ${differenceText(one)}\n`),
    more > 0 ? `… and ${more} more differences\n` : '',
    restorationPoint === undefined ? '' : `all topics end at the restoration point of ${restorationPoint.at}\n`,
    report.sample < 1 ? `of each partition a stretch of ${100 * report.sample}% of its offsets was taken\n` : '',
    `${records} records (${formatBytes(bytes)} of files) restored in ${seconds.restore} s, ${recordsPerSecond} records/s; `,
    `planned in ${seconds.plan} s, compared in ${seconds.compare} s\n`,
    report.left.length === 0 ? '' : `still there: ${report.left.join(', ')} (${report.leftReason})\n`,
    differences > 0
      ? `${differences} differences\n`
      : incomplete.length > 0
        ? ''
        : comparedBy(report) > 0
          ? 'every record is as the backup has it\n'
          : 'no record was compared: there is none in what was chosen, and nothing is proved\n',
  ].join('')
}

function differenceText({ topic, partition, offset, restoredOffset, kind, says }: NamedDifference): string {
  const where = offset === undefined ? '' : ` offset ${offset}`
  const at = restoredOffset === undefined ? '' : ` (at ${restoredOffset} in what was restored)`
  return `${topic}-${partition}${where}${at}: ${kind}: ${says}`
}
