import type { Kafka } from '../kafka/port.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'
import type { ObjectStore, StorageLook } from '../storage/port.ts'
import type { CheckOptions } from './options.ts'

export interface CheckDeps {
  readonly kafka: Pick<Kafka, 'admin'>
  readonly store: ObjectStore
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly lookAtStorage: (signal: AbortSignal) => Promise<StorageLook>
  /** The consumer group that the command has when nobody names another one. */
  readonly usualGroup: (options: CheckOptions) => string
}
