import type { Status } from '../archive/cover.ts'

/** Where `maxbrod flush --report` asks. */
export const REPORT_PATH = '/__/report'

/** A report that a worker has put into the bucket. */
export interface KeptReport {
  readonly key: string
  readonly status: Status
  readonly partitions: number
  readonly bytes: number
}
