import type { CoveredPartition, Coverage } from '../../src/archive/coverage.ts'
import type { Segment, Status } from '../../src/archive/cover.ts'
import { pageOfCoverage } from '../../src/archive/report/page-of-coverage.ts'
import type { Page, RestorePart } from '../../src/archive/report/model.ts'
import { worst } from '../../src/archive/coverage.ts'

export const madeAtMs = Date.parse('2026-11-26T06:40:12.345Z')

/** What of a partition is where; the rest of its offsets is in files. */
export interface SampleOptions {
  readonly topics: number
  readonly partitions: number
  readonly isKafkaAsked?: boolean
  /** What becomes of the n-th partition of all; default all found. */
  readonly segmentsOf?: (n: number) => readonly Segment[]
  readonly nameOf?: (topic: number) => string
}

/** The coverage of a backup that nobody made. */
export function sampleCoverage({
  topics,
  partitions,
  isKafkaAsked = false,
  segmentsOf = found,
  nameOf = n => `shop.orders.region-${n}`,
}: SampleOptions): Coverage {
  const all = Array.from({ length: topics * partitions }, (_, n): CoveredPartition => {
    const segments = segmentsOf(n)
    const topic = nameOf(Math.floor(n / partitions))
    const age = 1_000 * (1 + ((n * 7_919) % 90_000))
    const held = {
      files: 40 + (n % 7),
      bytes: 3_000_000 + n * 54_321,
      records: 1_048_576 + n * 17,
      timestampMin: BigInt(madeAtMs - 30 * 86_400_000),
      timestampMax: BigInt(madeAtMs - age),
      storedAtMs: madeAtMs - age,
    }
    const kafka = {
      end: 1_048_576,
      unprotected: n % 5,
      unprotectedSeconds: n % 5,
      headroomSeconds: 86_400 * (1 + (n % 6)),
    }
    const base = { topic, folder: topic, partition: n % partitions, status: statusOf(segments), segments, held }
    return isKafkaAsked ? { ...base, kafka } : base
  })
  return {
    status: worst(all.map(({ status }) => status)),
    partitions: all,
    pointAtMs: madeAtMs - 300_000,
    isPointLate: false,
    withoutFiles: [],
    unreadable: [],
  }
}

/** A page about it. */
export function samplePage(options: SampleOptions, more: Partial<Page> = {}): Page {
  const coverage = sampleCoverage(options)
  return {
    ...pageOfCoverage(coverage, { nowMs: madeAtMs, isKafkaAsked: options.isKafkaAsked ?? false }),
    title: 'Backup in s3://backups/shop',
    status: coverage.status,
    madeAtMs,
    writer: 'maxbrod 1.2.3',
    ...more,
  }
}

/** What somebody would write who wants to do something to the readers of the page. */
export const hostileText =
  '\u202e</title></style><script>alert(1)</script><img src=x onerror="alert(1)"><base href=//evil.example><a href=javascript:alert(1)>'

function found(): readonly Segment[] {
  return [{ kind: 'FOUND', from: 0, to: 1_048_576, reason: undefined }]
}

/** One partition of each kind there is, and then only sound ones. */
export function mixed(n: number): readonly Segment[] {
  const whole = 1_048_576
  const inside = (kind: Segment['kind'], from: number, to: number, reason: string): Segment[] => [
    { kind: 'FOUND', from: 0, to: from, reason: undefined },
    { kind, from, to, reason },
    ...(to < whole ? [{ kind: 'FOUND' as const, from: to, to: whole, reason: undefined }] : []),
  ]
  const kinds: readonly (readonly Segment[])[] = [
    inside('LOST', 400_000, 400_007, 'no file has them'),
    inside('GAP', 0, 200_000, 'Kafka no longer had them (retention)'),
    inside('LATE', 900_000, whole, 'in Kafka for longer than --late-after, and not in the backup yet'),
    inside('UPLOADING', 1_000_000, whole, 'a worker is at work on them'),
    inside('LOST', 600_000, 900_000, 'the header of its file cannot be read'),
  ]
  return kinds[n] ?? found()
}

export const sampleRestore: RestorePart = {
  title: 'Restore of maxbrod.plan',
  status: 'WARNING',
  says: '7,340,032 of 10,485,760 records, 71 of 100 files, 310000 records/s, 11 s to go',
  recordsPlanned: 10_485_760,
  recordsRestored: 7_340_032,
  topics: Array.from({ length: 5 }, (_, n) => ({
    topic: `shop.orders.region-${n}`,
    partitions: `${n} of 8`,
    recordsPlanned: 2_097_152,
    recordsRestored: 2_097_152 - n * 524_288,
  })),
  notes: ['do not get on (does an executor run?): shop.orders.region-4-1'],
}

function statusOf(segments: readonly Segment[]): Status {
  const kinds = segments.map(({ kind }) => kind)
  if (kinds.includes('LOST')) return 'FAILURE'
  return kinds.includes('GAP') || kinds.includes('LATE') ? 'WARNING' : 'OK'
}
