import { formatBytes, formatCount } from '../../config/units.ts'
import { ago, timeText } from '../../observe/ago.ts'
import type { Segment } from '../cover.ts'
import { worst } from '../coverage.ts'
import type { CoveredPartition, Coverage } from '../coverage.ts'
import { LATE_POINT } from '../late-point.ts'
import type { CoveragePart, Fact, TopicPart } from './model.ts'
import { count, day, minute, seconds, short, things } from './words.ts'

/** What a page tells of a backup. */
export interface CoverageView {
  readonly headline: string
  readonly facts: readonly Fact[]
  readonly notes: readonly string[]
  readonly coverage: CoveragePart
}

export interface CoverageAsked {
  readonly nowMs: number
  /** Without Kafka nobody knows what is under way. */
  readonly isKafkaAsked: boolean
}

const MORE = 'maxbrod coverage'

/** The coverage of a backup as a page shows it. Pure. */
export function pageOfCoverage(found: Coverage, asked: CoverageAsked): CoverageView {
  const { partitions } = found
  const topics = [...Map.groupBy(partitions, ({ folder }) => folder)].map(([name, own]) => topicOf(name, own, asked))
  const legend = LEGEND.filter(({ kind }) => asked.isKafkaAsked || kind !== 'UPLOADING')
  const columns = ['offsets', 'records', 'size', 'last record (ago)', ...(asked.isKafkaAsked ? KAFKA_COLUMNS : [])]
  return {
    headline: headlineOf(found, asked),
    facts: factsOf(found, topics.length, asked),
    notes: notesOf(found, asked),
    coverage: { title: 'Topics', legend, columns, topics, more: MORE },
  }
}

const LEGEND: CoveragePart['legend'] = [
  { kind: 'FOUND', says: 'FOUND: in files' },
  { kind: 'GAP', says: 'GAP: Kafka had lost them: declared' },
  { kind: 'UPLOADING', says: 'UPLOADING: a worker has them in hand' },
  { kind: 'LATE', says: 'LATE: in Kafka, not in files yet' },
  { kind: 'LOST', says: 'LOST: nowhere any more' },
]
const KAFKA_COLUMNS = ['unprotected', 'oldest', 'expires in']

function headlineOf({ partitions, pointAtMs }: Coverage, { isKafkaAsked, nowMs }: CoverageAsked): string {
  const lost = offsetsOf(partitions, 'LOST')
  const lostText = lost === 0 ? '' : ` · ${count(lost)} offsets are LOST`
  if (!isKafkaAsked) {
    const newest = newestRecord(partitions)
    const upTo =
      newest === undefined
        ? ''
        : `, the newest record is from ${newest < nowMs ? ago(newest, nowMs) : timeText(newest)}`
    const known =
      pointAtMs === undefined ? 'what Kafka has beside it is not known' : `Kafka was looked at ${ago(pointAtMs, nowMs)}`
    return `${count(partitions.length)} partitions are in the backup${upTo} · ${known}${lostText}`
  }
  const behind = partitions.flatMap(({ kafka }) => (kafka === undefined || kafka.unprotected === 0 ? [] : [kafka]))
  const oldest = Math.max(0, ...behind.map(({ unprotectedSeconds }) => unprotectedSeconds ?? 0))
  const text =
    behind.length === 0
      ? 'All that Kafka has of these topics is in the backup'
      : `Protected up to ${seconds(oldest)} ago · ${count(behind.reduce((sum, one) => sum + one.unprotected, 0))} offsets of ${count(behind.length)} partitions are in Kafka only`
  return text + lostText
}

function factsOf({ partitions, pointAtMs }: Coverage, topics: number, { isKafkaAsked, nowMs }: CoverageAsked): Fact[] {
  const records = sumOrUndefined(partitions.map(({ held }) => held.records))
  const late = partitions.filter(({ segments }) => segments.some(({ kind }) => kind === 'LATE')).length
  const stored = partitions.flatMap(({ held }) => held.storedAtMs ?? [])
  const newest = stored.reduce<number | undefined>((max, one) => Math.max(max ?? one, one), undefined)
  const headroom = partitions.flatMap(({ kafka }) => kafka?.headroomSeconds ?? [])
  return [
    { name: 'topics', value: count(topics) },
    { name: 'partitions', value: count(partitions.length) },
    { name: 'records', value: records === undefined ? 'not told by all files' : count(records) },
    { name: 'files', value: count(partitions.reduce((sum, { held }) => sum + held.files, 0)) },
    { name: 'size', value: formatBytes(partitions.reduce((sum, { held }) => sum + held.bytes, 0)) },
    { name: 'newest file', value: newest === undefined ? 'none' : ago(newest, nowMs) },
    { name: 'offsets lost', value: count(offsetsOf(partitions, 'LOST')) },
    { name: 'declared as gaps', value: count(offsetsOf(partitions, 'GAP')) },
    { name: 'partitions late', value: count(late) },
    ...(isKafkaAsked
      ? [{ name: 'until one expires', value: headroom.length === 0 ? 'nothing will' : seconds(Math.min(...headroom)) }]
      : []),
    { name: 'restoration point', value: pointAtMs === undefined ? 'none' : ago(pointAtMs, nowMs) },
  ]
}

function notesOf(
  { pointAtMs, isPointLate, withoutFiles, unreadable }: Coverage,
  { isKafkaAsked, nowMs }: CoverageAsked,
): string[] {
  return [
    ...(pointAtMs === undefined && !isKafkaAsked
      ? ['There is no restoration point (maxbrod groups-backup makes them): how far Kafka went is not known.']
      : []),
    ...(isPointLate && pointAtMs !== undefined
      ? [`The newest restoration point is LATE (${ago(pointAtMs, nowMs)}): ${LATE_POINT}.`]
      : []),
    ...(withoutFiles.length === 0
      ? []
      : [
          `Without any file, and maybe not meant to be backed up: ${withoutFiles.slice(0, 50).join(', ')}${withoutFiles.length > 50 ? ', …' : ''}`,
        ]),
    ...unreadable.map(({ key, problem }) => `${key}: ${problem}`),
  ]
}

function topicOf(
  name: string,
  partitions: readonly CoveredPartition[],
  { isKafkaAsked, nowMs }: CoverageAsked,
): TopicPart {
  const records = sumOrUndefined(partitions.map(({ held }) => held.records))
  const bytes = partitions.reduce((sum, { held }) => sum + held.bytes, 0)
  const newest = newestRecord(partitions)
  const oldest = extreme(
    partitions.map(({ held }) => held.timestampMin),
    Math.min,
  )
  const span = oldest === undefined || newest === undefined ? '' : `, from ${day(oldest)} to ${minute(newest)}`
  const unprotected = partitions.reduce((sum, { kafka }) => sum + (kafka?.unprotected ?? 0), 0)
  return {
    name,
    status: worst(partitions.map(({ status }) => status)),
    says: `${things(partitions.length, 'partition')}, ${records === undefined ? '' : `${things(records, 'record')}, `}${formatBytes(bytes)}${span}${unprotected === 0 ? '' : `, ${count(unprotected)} in Kafka only`}`,
    partitions: partitions.map(one => ({
      partition: one.partition,
      status: one.status,
      segments: one.segments,
      cells: [...cellsOf(one, nowMs), ...(isKafkaAsked ? kafkaCells(one) : [])],
    })),
    ranges: partitions.flatMap(rangesOf),
  }
}

function cellsOf({ segments, held }: CoveredPartition, nowMs: number): string[] {
  const from = segments[0]?.from
  const last = segments.at(-1)
  const to = last?.to
  return [
    from === undefined ? '' : to === undefined ? `${from} and on` : `${from} to ${to - 1}`,
    held.records === undefined ? '?' : formatCount(held.records),
    formatBytes(held.bytes),
    held.timestampMax === undefined ? '' : short(Number(held.timestampMax), nowMs),
  ]
}

function kafkaCells({ kafka }: CoveredPartition): string[] {
  if (kafka === undefined) return []
  const { unprotected, unprotectedSeconds, headroomSeconds } = kafka
  return [
    unprotected === 0 && unprotectedSeconds === undefined ? '' : count(unprotected),
    unprotectedSeconds === undefined ? '' : seconds(unprotectedSeconds),
    headroomSeconds === undefined ? '' : seconds(headroomSeconds),
  ]
}

function rangesOf({ partition, segments }: CoveredPartition): string[] {
  return segments
    .filter(({ kind, reason }) => kind !== 'FOUND' || reason !== undefined)
    .map(({ kind, from, to, reason }) => {
      const range = to === undefined ? `${from} and on` : `${from} to ${to - 1}`
      return `partition ${partition}: ${kind} offsets ${range}: ${reason}`
    })
}

function offsetsOf(partitions: readonly CoveredPartition[], wanted: Segment['kind']): number {
  const segments = partitions.flatMap(one => one.segments.filter(({ kind }) => kind === wanted))
  return segments.reduce((sum, { from, to = from + 1 }) => sum + (to - from), 0)
}

function newestRecord(partitions: readonly CoveredPartition[]): number | undefined {
  return extreme(
    partitions.map(({ held }) => held.timestampMax),
    Math.max,
  )
}

function extreme(times: readonly (bigint | undefined)[], pick: (a: number, b: number) => number): number | undefined {
  return times.reduce<number | undefined>((best, time) => {
    if (time === undefined) return best
    return best === undefined ? Number(time) : pick(best, Number(time))
  }, undefined)
}

function sumOrUndefined(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (sum, value) => (sum === undefined || value === undefined ? undefined : sum + value),
    0,
  )
}
