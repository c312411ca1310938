import type { BlockPress } from '../../format/ocf/block-press.ts'
import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { GroupSession, Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import { isAborted } from '../../runtime/aborted.ts'
import { isMaxbrodError } from '../../runtime/errors.ts'
import { within } from '../../runtime/within.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { Committer } from '../resume/committer.ts'
import type { WorkerContext } from '../deps.ts'
import type { DiskRoom } from '../spool/disk-room.ts'
import { LeavingPartitions } from './leaving-partitions.ts'
import { Lineages } from '../resume/lineages.ts'
import type { WorkerMemory } from '../memory.ts'
import { openPartition } from './open-partition.ts'
import type { OpenPartitionDeps } from './open-partition.ts'
import type { PartitionBackup } from './partition.ts'
import type { PartitionOptions, Verdict } from '../reading/partition-deps.ts'
import { newsOf } from './partition-news.ts'
import type { NewsDeps } from './partition-news.ts'
import { notBegun } from '../flush.ts'
import type { Missed } from '../flush.ts'
import type { LogBounds } from '../resume/resume.ts'
import type { BackupTally } from '../result.ts'
import { sayStopped } from './say-stopped.ts'
import { PartitionStarter } from './partition-starter.ts'
import { TopicFolders } from '../topics/topic-folders.ts'
import { newUploadSlots } from '../chain/upload-slots.ts'
import type { UploadedTile } from '../chain/uploaded-tile.ts'

export interface PartitionsDeps {
  readonly context: WorkerContext
  readonly memory: WorkerMemory
  readonly press: BlockPress
  readonly committer: Committer
  readonly tally: BackupTally
  readonly room: DiskRoom
  readonly options: PartitionOptions
  readonly session: Promise<GroupSession>
  /** Where a partition's reading ends; undefined for never. */
  readonly targetOf: (ownership: Ownership) => number | undefined
  /** A partition could not be started, or an upload failed: waits if there is a point in it, and says what happens. */
  readonly onTrouble: (error: unknown, ownership: Ownership) => Promise<Verdict>
  /** Something that the whole worker cannot go on after. */
  readonly onFatal: (error: unknown) => void
  readonly onRecords: (topic: string, records: number, bytes: number) => void
  readonly onUploaded: (partition: TopicPartition, tile: UploadedTile) => void
}

/** How long complete tiles may still be uploaded when a partition moves to another worker. */
const HAND_OVER_MS = 10_000

/** How long a worker that ends waits for the group to hear which partitions cannot go on. */
const TELL_MS = 10_000

/** The partitions that this worker owns, from their assignment until they are given up. */
export class Partitions {
  readonly #deps: PartitionsDeps
  readonly #running = new PartitionMap<PartitionBackup>()
  readonly #leaving = new LeavingPartitions()
  /** Their part of the spool is taken, and nobody else sees them yet. */
  readonly #openings = new Set<Promise<PartitionBackup>>()
  /** Of partitions that cannot go on. */
  readonly #telling = new Set<Promise<void>>()
  readonly #lineages: Lineages
  readonly #starter: PartitionStarter
  readonly #opening: OpenPartitionDeps
  readonly #news: NewsDeps

  constructor(deps: PartitionsDeps) {
    const { context, tally, onTrouble, onFatal } = deps
    this.#deps = deps
    this.#lineages = new Lineages(context, tally)
    this.#starter = new PartitionStarter({
      context,
      begin: (ownership, committed, bounds) => this.#begin(ownership, committed, bounds),
      onAsking: () => this.#lineages.forgetListings(),
      onTrouble,
      onFatal,
      onStopped: (ownership, error) =>
        sayStopped({ ...deps, telling: this.#telling }, ownership, error, undefined, this.#logOf(ownership)),
    })
    this.#opening = {
      ...deps,
      uploads: newUploadSlots(),
      folders: new TopicFolders(context.store),
      lineages: this.#lineages,
      over: ownership => this.#leaving.over(ownership),
    }
    this.#news = {
      ...deps,
      lineages: this.#lineages,
      telling: this.#telling,
      running: ownership => this.get(ownership),
      startAnew: (partition, finish) => this.#startAnew(partition, finish),
    }
  }

  get all(): Iterable<PartitionBackup> {
    return this.#running.values()
  }

  get(ownership: Ownership): PartitionBackup | undefined {
    const partition = this.#running.get(ownership)
    return partition?.ownership === ownership ? partition : undefined
  }

  /** Up to where partitions of ours are durable and committed; −1 before their end in the store is known, and known to Kafka. */
  endsOf(ownerships: readonly Ownership[]): PartitionMap<number> {
    const endOf = (partition: PartitionBackup | undefined) =>
      partition?.isChecked === true ? partition.committedTo : -1
    return new PartitionMap(ownerships.map(ownership => [ownership, endOf(this.get(ownership))] as const))
  }

  /** Begins with partitions, each as soon as its resume point is known. */
  start(ownerships: readonly Ownership[]): void {
    this.#starter.start(ownerships)
  }

  /**
   * Gives partitions up: complete tiles may still become durable for a while, the rest is left to the next owner. What was
   * read of a topic that is gone has no next owner: all of it is uploaded.
   */
  async handOver(ownerships: readonly Ownership[]): Promise<void> {
    const selected = new PartitionMap((await this.#deps.session).selected.map(partition => [partition, true] as const))
    for (const ownership of ownerships) {
      const partition = this.#take(ownership)
      if (partition === undefined) continue
      const isGone = !selected.has(ownership)
      this.#leaving.add(partition, isGone ? partition.retire() : partition.drained())
    }
    await within(this.#deps.context.clock, HAND_OVER_MS, this.#leaving.allOver())
  }

  /** Uploads what was read of a topic that is gone. */
  retire(gone: TopicPartition): void {
    const ownership = this.#running.get(gone)?.ownership
    const partition = ownership === undefined ? undefined : this.#take(ownership)
    if (partition !== undefined) this.#leaving.add(partition, partition.retire())
  }

  /** Drops partitions that somebody else may own already. */
  drop(ownerships: readonly Ownership[]): void {
    for (const ownership of ownerships) {
      const partition = this.#take(ownership)
      if (partition !== undefined) this.#leaving.add(partition, Promise.resolve())
    }
  }

  /**
   * Uploads and commits everything that was read so far, and goes on; returns the partitions for which that did not come about,
   * those among them that could not be begun with yet and have something in the spool.
   */
  async flush(reason: string): Promise<Missed[]> {
    await Promise.allSettled(this.#openings)
    const flushing = [...this.#running.values()].map(async partition => {
      const { topic, partition: number } = partition.ownership
      return (await partition.flush(reason)) ? [] : [{ topic, partition: number }]
    })
    const { owned } = await this.#deps.session
    const waiting = notBegun(owned, this.#deps.context.spool.heads, one => this.#running.has(one))
    return [...(await Promise.all(flushing)).flat(), ...waiting]
  }

  /** Ends all partitions, after uploading what was read if `flush` says so. */
  async close(flush: boolean): Promise<void> {
    for (const partition of this.#running.values()) {
      if (flush) partition.close('the worker stops')
      this.#leaving.add(partition, partition.drained())
    }
    this.#running.clear()
    await this.#leaving.allOver()
    await within(this.#deps.context.clock, TELL_MS, Promise.all(this.#telling))
  }

  #take(ownership: Ownership): PartitionBackup | undefined {
    const partition = this.get(ownership)
    if (partition !== undefined) this.#running.delete(ownership)
    return partition
  }

  async #begin(ownership: Ownership, committed: CommittedOffset | undefined, bounds: LogBounds): Promise<void> {
    const { tally, targetOf } = this.#deps
    const log = this.#logOf(ownership)
    const news = newsOf(this.#news, ownership, log)
    const opening = openPartition(this.#opening, ownership, committed, bounds, log, news)
    this.#openings.add(opening)
    const partition = await opening.finally(() => this.#openings.delete(opening))
    // Given up while it was opened. It may be ours again already: nothing may come in the way of that.
    if (ownership.ended.aborted) return this.#leaving.add(partition, Promise.resolve())
    tally.resumed(ownership)
    this.#running.set(ownership, partition)
    try {
      await partition.commitStart()
      const target = targetOf(ownership)
      if (target !== undefined) partition.endAt(target)
    } catch (error) {
      const isOver = ownership.ended.aborted || this.get(ownership) === undefined
      if (isOver || isAborted(error) || isMaxbrodError(error, 'FOREIGN_ARCHIVE')) throw error
      partition.stop(error)
    }
  }

  #logOf({ topic, partition }: TopicPartition): Logger {
    return this.#deps.context.log.child({ topic, partition })
  }

  #startAnew(partition: PartitionBackup, finish: () => Promise<void>): void {
    this.#take(partition.ownership)
    this.#leaving.add(partition, finish(), () => this.start([partition.ownership]))
  }
}
