import type { Gap } from '../format/tile-header.ts'
import type { SpoolOnly } from './rescue/spool-only.ts'
import type { UploadedTile } from './chain/uploaded-tile.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { MaxbrodError, messageOf } from '../runtime/errors.ts'

/** What a backup did, for people and for programs. */
export interface BackupResult {
  readonly result: 'ok' | 'partial'
  readonly files: number
  readonly records: number
  readonly bytes: number
  readonly partitions: readonly PartitionResult[]
  /** Partitions that cannot go on, and why. */
  readonly stopped: readonly StoppedPartition[]
  /** Offsets that Kafka no longer had when they should have been read: declared in the files that follow. */
  readonly gaps: readonly (TopicPartition & Gap)[]
  /** Partitions whose log lost records that the backup holds: it keeps them, and goes on in a new lineage. */
  readonly cuts: readonly (TopicPartition & { readonly at: number; readonly lineage: number })[]
  /** Partitions with records that were not committed yet when the backup began: they come with the next one. */
  readonly behindOpenTransaction: readonly {
    readonly topic: string
    readonly partition: number
    readonly records: number
  }[]
  /** Topics that a restore still fills: they are not backed up until `maxbrod finalize`. */
  readonly held: readonly string[]
  /** What was read of topics that are gone since, and could not be uploaded: nobody can read it again. */
  readonly notUploaded: readonly SpoolOnly[]
  /** Why no topic was backed up at all, when topics were named and none is there. */
  readonly nothingMatched?: string
}

export interface PartitionResult extends TopicPartition {
  readonly files: number
  readonly records: number
  readonly bytes: number
  readonly from: number
  readonly to: number
}

export interface StoppedPartition extends TopicPartition {
  readonly code: string
  readonly message: string
}

/** Adds up what happens while a worker runs. */
export class BackupTally {
  readonly #partitions = new PartitionMap<PartitionResult>()
  readonly #stopped = new PartitionMap<{ readonly error: unknown }>()
  /** Partitions that stay among those, whatever becomes of them. */
  readonly #leftOut = new PartitionMap<true>()
  readonly #gaps: (TopicPartition & Gap)[] = []
  readonly #cuts: BackupResult['cuts'][number][] = []
  readonly #notUploaded: SpoolOnly[] = []

  uploaded(partition: TopicPartition, tile: UploadedTile): void {
    const { topic } = partition
    const before = this.#partitions.get(partition)
    this.#partitions.set(partition, {
      topic,
      partition: partition.partition,
      files: (before?.files ?? 0) + 1,
      records: (before?.records ?? 0) + tile.records,
      bytes: (before?.bytes ?? 0) + tile.bytes,
      from: before?.from ?? tile.from,
      to: tile.to,
    })
    for (const gap of tile.gaps) this.#gaps.push({ topic, partition: partition.partition, ...gap })
  }

  cut({ topic, partition }: TopicPartition, { at, lineage }: { readonly at: number; readonly lineage: number }): void {
    const isTold = this.#cuts.some(
      one => one.topic === topic && one.partition === partition && one.lineage === lineage && one.at === at,
    )
    if (!isTold) this.#cuts.push({ topic, partition, at, lineage })
  }

  stopped(partition: TopicPartition, error: unknown): void {
    this.#stopped.set(partition, { error })
  }

  /** May be told again and again. */
  notUploaded(one: SpoolOnly): void {
    const { topic, partition, from } = one
    const isTold = this.#notUploaded.some(
      other => other.topic === topic && other.partition === partition && other.from === from,
    )
    if (!isTold) this.#notUploaded.push(one)
  }

  /** The partition goes on, here or elsewhere. */
  resumed(partition: TopicPartition): void {
    if (!this.#leftOut.has(partition)) this.#stopped.delete(partition)
  }

  /** Nobody waits for a partition that stopped any more: if it goes on, nobody knows how far it comes. */
  leaveOut(partition: TopicPartition): void {
    this.#leftOut.set(partition, true)
  }

  isStopped(partition: TopicPartition): boolean {
    return this.#stopped.has(partition)
  }

  /** Partitions that cannot go on, and why. */
  get stoppedPartitions(): StoppedPartition[] {
    return [...this.#stopped].map(([{ topic, partition }, { error }]) => ({
      topic,
      partition,
      code: error instanceof MaxbrodError ? error.code : 'BUG',
      message: `${partitionName({ topic, partition })}: ${messageOf(error)}`,
    }))
  }

  result(behindOpenTransaction: BackupResult['behindOpenTransaction'], held: BackupResult['held'] = []): BackupResult {
    const partitions = [...this.#partitions.values()].toSorted((a, b) =>
      a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition,
    )
    const sum = (pick: (one: PartitionResult) => number) => partitions.reduce((total, one) => total + pick(one), 0)
    const stopped = this.stoppedPartitions
    return {
      result: [stopped, this.#gaps, this.#cuts, this.#notUploaded].every(all => all.length === 0) ? 'ok' : 'partial',
      files: sum(one => one.files),
      records: sum(one => one.records),
      bytes: sum(one => one.bytes),
      partitions,
      stopped,
      gaps: this.#gaps,
      cuts: this.#cuts,
      behindOpenTransaction,
      held,
      notUploaded: this.#notUploaded,
    }
  }
}
