import { ByteBudget } from '../runtime/byte-budget.ts'
import { newLimit } from '../runtime/limit.ts'
import type { Throttle } from '../runtime/throttle.ts'
import { checkFile } from './check-file.ts'
import type { FileReading } from './check-file.ts'
import type { ArchiveDeps } from './deps.ts'
import type { Finding } from './findings.ts'
import type { Ledger } from './ledger.ts'
import { problemOf } from './survey.ts'
import type { SurveyedFile } from './survey.ts'
import type { TwinRecords } from './twins.ts'
import type { VerifyOptions } from './verify-options.ts'

/** Read at the same time. */
const FILES = 4
const AHEAD_BYTES = 64 * 1024 * 1024

export interface FilesRead {
  /** Read to their end by this run, and found to be what they say. */
  readonly verified: number
  readonly records: number
  readonly bytes: number
  /** Of those that were read, so many have no checksum beside them that covers their header. */
  readonly headersUnproven: number
  readonly findings: readonly Finding[]
}

/** Reads files to their end and holds them against their headers, the ledger, the seals and their twins. */
export async function readFiles(
  { store, pool, progress }: ArchiveDeps,
  chosen: readonly SurveyedFile[],
  twins: TwinRecords,
  ledger: Ledger,
  sealed: ReadonlyMap<string, string>,
  { maxRecordBytes }: VerifyOptions,
  throttle: Throttle,
  signal: AbortSignal,
): Promise<FilesRead> {
  using task = progress.task('verifying', { unit: 'bytes', total: chosen.reduce((sum, { bytes }) => sum + bytes, 0) })
  const reading: FileReading = {
    store,
    pool,
    budget: new ByteBudget(AHEAD_BYTES),
    maxRecordBytes,
    signal,
    throttle,
    onBytes: bytes => task.add(bytes),
  }
  const read = { verified: 0, records: 0, bytes: 0, headersUnproven: 0, findings: new Array<Finding>() }
  const limit = newLimit(FILES)
  const readOne = async (file: SurveyedFile) => {
    signal.throwIfAborted()
    const followed = twins.follow(file)
    try {
      const sound = await checkFile(file, reading, followed?.visit)
      followed?.read()
      const before = ledger.files.get(file.key)
      if (before !== undefined && before.sha256 !== sound.sha256)
        return void read.findings.push(replaced(file, before.atMs))
      if ((sealed.get(file.key) ?? sound.sha256) !== sound.sha256)
        return void read.findings.push(
          findingOf('damaged', file, 'it has other bytes than the seal of its generation says'),
        )
      read.verified++
      read.records += sound.records
      read.bytes += sound.bytes
      if (!sound.isHeaderProven) read.headersUnproven++
      await ledger.add(file.key, { etag: file.etag, bytes: file.bytes, sha256: sound.sha256 })
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      read.findings.push(findingOf('damaged', file, problem))
    }
    return undefined
  }
  await Promise.all(chosen.map(file => limit(() => readOne(file))))
  return read
}

function replaced(file: SurveyedFile, atMs: number): Finding {
  return findingOf('replaced', file, `had other bytes when it was verified at ${new Date(atMs).toISOString()}`)
}

function findingOf(kind: Finding['kind'], { key, place, header }: SurveyedFile, problem: string): Finding {
  const { topic, partition, from } = place
  const to = header?.kind === 'maxbrod' ? header.tile.coversTo : undefined
  return { kind, topic, partition, key, from, to, says: `${key}: ${problem}` }
}
