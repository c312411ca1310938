import type { Archive } from '../catalog/archive.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Progress } from '../observe/progress.ts'
import type { Vitals } from '../observe/vitals.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'
import type { ObjectStore, Seal } from '../storage/port.ts'
import type { Flushed } from './flush.ts'
import type { Spool } from './spool/spool.ts'
import type { TopicRules } from './topics/topic-rules.ts'
import type { WorkerView } from './view.ts'

/** The ports that a backup worker lives on. */
export interface BackupDeps {
  readonly kafka: Kafka
  /** Whose backup the store holds: claimed for this cluster. */
  readonly archive: Archive
  readonly store: ObjectStore
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  readonly progress: Progress
  readonly vitals: Vitals
  readonly pool: BufferPool
  /** Program and version, as files name their writer. */
  readonly writer: string
  /** What holds for single topics. */
  readonly rules: TopicRules
  /** Encrypts files; undefined where they are stored as they are. */
  readonly seal: Seal | undefined
}

export interface WorkerDeps extends BackupDeps {
  /** Is given the way to flush this worker while it runs; what it returns is disposed of before the worker ends. */
  readonly onFlush: (flush: () => Promise<Flushed>) => Disposable
  /** Likewise the way to see what it is at. */
  readonly onView?: ((view: () => WorkerView) => Disposable) | undefined
}

/** What all partitions of a worker share. */
export interface WorkerContext extends BackupDeps {
  readonly groupId: string
  readonly spool: Spool
}
