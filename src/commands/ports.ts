import type { KafkaOptions } from '../kafka/options.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Redactor } from '../observe/redact.ts'
import type { Vitals } from '../observe/vitals.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'
import type { StoreOptions } from '../storage/open.ts'
import type { StorageOptions } from '../storage/options.ts'
import type { ErasableStore, ObjectStore, StorageLook } from '../storage/port.ts'

/**
 * Time, chance, disk, object store and Kafka: a command reaches the world through these and in no other way. So a test that
 * wraps them (dies before the third put, loses an answer, owns the time) runs the real commands.
 */
export interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  /** All connect when first asked for something. A command's context does as `tools`. */
  openStore(options: StoreOptions, tools: Tools): Promise<ObjectStore>
  openErasableStore(options: StoreOptions, tools: Tools): Promise<ErasableStore>
  openKafka(options: KafkaOptions, tools: Tools): Promise<Kafka>
  /** Who we are to the store, and what time it has. */
  lookAtStorage(options: StorageOptions, clock: Clock, signal?: AbortSignal): Promise<StorageLook>
}

/** What the floors behind the ports need for their own work. */
export interface Tools {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly redactor: Redactor
  readonly metrics: Metrics
  readonly vitals: Vitals
}
