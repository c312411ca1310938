import { coverArchive } from '../archive/coverage.ts'
import { coverageOptions } from '../archive/coverage-options.ts'
import { keepReport } from '../archive/report/keep-report.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import { silentProgress } from '../observe/progress.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { KeptReport } from './kept-report.ts'
import { askingKafka } from './live-coverage.ts'
import { reportOfBackup } from './report-of-backup.ts'

export interface ReportDeps {
  readonly store: ObjectStore
  readonly kafka: Kafka
  readonly clock: Clock
  readonly log: Logger
  readonly groupId: string
  /** The files are encrypted: a worker has no key that opens them. */
  readonly isSealed: boolean
  readonly version: string
  readonly signal: AbortSignal
}

/** As `maxbrod coverage` has it. */
const { lateAfter, pointLateAfter } = coverageOptions.options
const USUAL = {
  topics: [/^.*$/],
  excludeTopics: [],
  lateAfter: lateAfter.kind.read(lateAfter.default),
  pointLateAfter: pointLateAfter.kind.read(pointLateAfter.default),
  headerIndex: undefined,
}

/** Makes a report of the whole backup and puts it into the bucket. Throws NO_IDENTITY, BACKUP_NOT_FOUND. */
export async function makeReport(deps: ReportDeps): Promise<KeptReport> {
  const { store, kafka, clock, log, groupId, isSealed, version, signal } = deps
  if (isSealed)
    throw new MaxbrodError('NO_IDENTITY', 'the files are encrypted, and a worker has no key that opens them', {
      hint: 'make the report where the key is: maxbrod report --identity',
    })
  const archive = {
    store,
    clock,
    progress: silentProgress,
    pool: new BufferPool(0),
    nearbyArchives: () => Promise.resolve([]),
  }
  const options = { ...USUAL, groupId }
  const found = await coverArchive(archive, options, signal, askingKafka({ kafka, clock, log }, options))
  const nowMs = clock.now()
  const page = reportOfBackup(found, { nowMs, isKafkaAsked: true, url: store.url, version })
  const key = await keepReport(store, nowMs, page, signal)
  const { status, partitions } = found
  log.info({ key, status }, 'put a report into the bucket')
  return { key, status, partitions: partitions.length, bytes: Buffer.byteLength(page) }
}
