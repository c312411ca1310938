import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CanonicalRecord } from './records.ts'

/**
 * RecordBatches as Kafka's own classes wrote them, with what Kafka's own classes read in them. Made by `make golden`
 * from test/java/maxbrod/GoldenBatches.java and GoldenLogs.java, which say why each one is there.
 */
export interface Golden {
  /** File name without its ending, for the title of a test. */
  readonly name: string
  /** What is odd about it. */
  readonly what: string
  readonly bytes: Buffer
  /** The whole batches, in order; bytes behind the last one are a batch that was cut off. */
  readonly batches: readonly GoldenBatch[]
  /** Of a log with transactions: the fetched offset, the aborted ones as a broker lists them, the offsets to be seen. */
  readonly fetchOffset?: string
  readonly aborted?: readonly { readonly producerId: string; readonly firstOffset: string }[]
  readonly committed?: readonly string[]
}

/** 64-bit numbers are decimal text. */
export interface GoldenBatch {
  readonly magic: 0 | 1 | 2
  readonly bytes: number
  readonly baseOffset: string
  readonly lastOffset: string
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'
  readonly maxTimestamp: string
  readonly leaderEpoch: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly deleteHorizon: string | null
  readonly control?: 'COMMIT' | 'ABORT'
  readonly count: number
  /** As RecordDigest computes them. */
  readonly content: string
  readonly digest: string
  /** Left out when there are many. */
  readonly records?: readonly CanonicalRecord[]
}

const folder = join(import.meta.dirname, '../fixtures/batches')

export function readGolden(): Golden[] {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as (Omit<Golden, 'name' | 'bytes'> & {
    file: string
  })[]
  return index.map(entry => ({
    ...entry,
    name: entry.file.replace(/\.bin$/, ''),
    bytes: readFileSync(join(folder, entry.file)),
  }))
}
