import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { BackupResult } from './result.ts'

/** What a worker is at, by what it knows itself. */
export interface WorkerView {
  readonly group: string
  readonly partitions: readonly PartitionView[]
  /** What it has done since it began. */
  readonly done: BackupResult
  readonly memoryBytes: number
  readonly isDiskFull: boolean
}

export interface PartitionView extends TopicPartition {
  /** The first offset that its files cover. */
  readonly origin: number
  /** Durable and committed up to here. */
  readonly durableTo: number
  readonly readTo: number
  /** In Kafka, when it was asked last. */
  readonly end: number | undefined
  readonly bufferedBytes: number
  readonly bufferedAgeMs: number
}
