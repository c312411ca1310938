import type { NearbyArchives } from '../catalog/backup-not-found.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Progress } from '../observe/progress.ts'
import type { Vitals } from '../observe/vitals.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { ExecutorView } from './view.ts'

/** The ports that an executor lives on. */
export interface ExecutorDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  readonly progress: Progress
  readonly vitals: Vitals
  readonly pool: BufferPool
  /** Near the store, for an error that nothing of the plan is there. */
  readonly nearbyArchives: NearbyArchives
  /** Is given the way to see what the executor is at; what it returns is disposed of before that ends. */
  readonly onView?: ((view: () => ExecutorView) => Disposable) | undefined
}
