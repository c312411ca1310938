import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'

/**
 * Time, chance, disk, object store and Kafka: a command reaches the world through these and in no other way. So a test that
 * wraps them (dies before the third put, loses an answer, owns the time) runs the real commands.
 */
export interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
}

/** What floors need for their own work. */
export interface Tools {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}
