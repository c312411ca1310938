import { coverArchive } from '../archive/coverage.ts'
import { coverageOptions } from '../archive/coverage-options.ts'
import { keepReport } from '../archive/report/keep-report.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Reply, Routes } from '../observe/http.ts'
import type { Logger } from '../observe/logger.ts'
import { silentProgress } from '../observe/progress.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { REPORT_PATH } from './kept-report.ts'
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
const { kind, default: preset } = coverageOptions.options.lateAfter
const LATE_AFTER_MS = kind.read(preset)

/**
 * `POST /__/report`: a report of the whole backup is made and put into the bucket. One at a time, because it reads the header of
 * every file: who asks meanwhile gets the same one.
 */
export function reportRoutes(deps: ReportDeps): Routes {
  let running: Promise<KeptReport> | undefined
  return {
    async [`POST ${REPORT_PATH}`]() {
      running ??= makeReport(deps).finally(() => (running = undefined))
      try {
        return json(200, await running)
      } catch (error) {
        if (!(error instanceof MaxbrodError)) throw error
        const { code, message, hint } = error
        return json(409, { code, message, hint })
      }
    },
  }
}

async function makeReport(deps: ReportDeps): Promise<KeptReport> {
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
  const options = { topics: [/^.*$/], excludeTopics: [], lateAfter: LATE_AFTER_MS, groupId, headerIndex: undefined }
  const found = await coverArchive(archive, options, signal, askingKafka({ kafka, clock, log }, options))
  const nowMs = clock.now()
  const page = reportOfBackup(found, { nowMs, isKafkaAsked: true, url: store.url, version })
  const key = await keepReport(store, nowMs, page, signal)
  const { status, partitions } = found
  log.info({ key, status }, 'put a report into the bucket')
  return { key, status, partitions: partitions.length, bytes: Buffer.byteLength(page) }
}

function json(status: number, content: object): Reply {
  return { status, type: 'application/json', body: `${JSON.stringify(content)}\n` }
}
