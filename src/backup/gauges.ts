import type { Clock } from '../runtime/clock.ts'
import { sumOfBuffered } from './buffered.ts'
import type { WorkerContext } from './deps.ts'
import type { DiskRoom } from './spool/disk-room.ts'
import type { WorkerMemory } from './memory.ts'
import { backupMetrics } from './metrics.ts'
import type { PartitionBackup } from './partition/partition.ts'
import type { BackupTally } from './result.ts'

/** The metrics that follow from the state of all partitions. */
export class WorkerGauges implements Disposable {
  readonly #metrics
  readonly #clock: Clock
  readonly #memory: WorkerMemory
  readonly #tally: BackupTally
  readonly #room: DiskRoom
  readonly #scrape: Disposable
  #partitions: readonly PartitionBackup[] = []

  constructor({ metrics, clock }: WorkerContext, memory: WorkerMemory, tally: BackupTally, room: DiskRoom) {
    this.#room = room
    this.#metrics = metrics.of(backupMetrics)
    this.#clock = clock
    this.#memory = memory
    this.#tally = tally
    this.#scrape = metrics.beforeScrape(() => this.#set())
  }

  update(partitions: readonly PartitionBackup[]): void {
    this.#partitions = partitions
  }

  [Symbol.dispose](): void {
    this.#scrape[Symbol.dispose]()
  }

  #set(): void {
    const partitions = this.#partitions
    this.#metrics.ownedPartitions.set(partitions.length)
    this.#metrics.stoppedPartitions.set(this.#tally.stoppedPartitions.length)
    const lastDueInMs = sumOfBuffered(partitions)?.lastDueInMs
    this.#metrics.bufferedUntilTimestampSeconds.set(
      lastDueInMs === undefined ? 0 : (this.#clock.now() + lastDueInMs) / 1000,
    )
    this.#metrics.bufferedBytes.set(partitions.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0))
    this.#metrics.bufferedAgeSeconds.set(Math.max(0, ...partitions.map(({ bufferedAgeMs }) => bufferedAgeMs)) / 1000)
    this.#metrics.diskFull.set(this.#room.isFull ? 1 : 0)
    this.#metrics.memoryBytes.set(this.#memory.budget.usedBytes)
  }
}
