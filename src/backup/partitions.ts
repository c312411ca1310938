import type { BlockPress } from '../format/ocf/block-press.ts'
import type { CommittedOffset, GroupSession, Ownership } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import { isAborted } from '../runtime/aborted.ts'
import { newLimit } from '../runtime/limit.ts'
import { within } from '../runtime/within.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import type { Committer } from './committer.ts'
import type { WorkerContext } from './deps.ts'
import type { DiskRoom } from './disk-room.ts'
import { readLogBounds } from './log-bounds.ts'
import type { WorkerMemory } from './memory.ts'
import { backupMetrics } from './metrics.ts'
import { PartitionBackup } from './partition.ts'
import type { PartitionDeps, PartitionOptions, Verdict } from './partition-deps.ts'
import type { Divergence } from './lineage.ts'
import { Lineages } from './lineages.ts'
import type { LogBounds } from './resume.ts'
import { continuedBy } from './spool.ts'
import { tellStopped } from './tell-stopped.ts'
import type { BackupTally } from './result.ts'
import { TopicFolders } from './topic-folders.ts'
import { newUploadSlots } from './upload-slots.ts'
import type { UploadedTile } from './uploaded-tile.ts'

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

/** Partitions that find their resume point at the same time: each asks the store and the cluster a few things. */
const RESUMING = 32
/** How long complete tiles may still be uploaded when a partition moves to another worker. */
const HAND_OVER_MS = 10_000

/** The partitions that this worker owns, from their assignment until they are given up. */
export class Partitions {
  readonly #deps: PartitionsDeps
  readonly #running = new PartitionMap<PartitionBackup>()
  readonly #resuming = newLimit(RESUMING)
  readonly #uploads = newUploadSlots()
  readonly #folders: TopicFolders
  readonly #lineages: Lineages
  /** What partitions that were given up still have to do. None of them rejects. */
  readonly #leaving = new PartitionMap<Promise<void>>()

  constructor(deps: PartitionsDeps) {
    this.#deps = deps
    this.#lineages = new Lineages(deps.context, deps.tally)
    this.#folders = new TopicFolders(deps.context.store)
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
    void this.#start(ownerships).catch((error: unknown) => this.#notStarted(ownerships, error))
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
      this.#leave(partition, isGone ? partition.retire() : partition.drained())
    }
    await within(this.#deps.context.clock, HAND_OVER_MS, this.#left())
  }

  /** Uploads what was read of a topic that is gone. */
  retire(gone: TopicPartition): void {
    const ownership = this.#running.get(gone)?.ownership
    const partition = ownership === undefined ? undefined : this.#take(ownership)
    if (partition !== undefined) this.#leave(partition, partition.retire())
  }

  /** Drops partitions that somebody else may own already. */
  drop(ownerships: readonly Ownership[]): void {
    for (const ownership of ownerships) {
      const partition = this.#take(ownership)
      if (partition !== undefined) this.#leave(partition, Promise.resolve())
    }
  }

  /** Uploads and commits everything that was read so far, and goes on; returns the partitions for which that did not come about. */
  async flush(reason: string): Promise<TopicPartition[]> {
    const flushing = [...this.#running.values()].map(async partition => {
      const { topic, partition: number } = partition.ownership
      return (await partition.flush(reason)) ? [] : [{ topic, partition: number }]
    })
    return (await Promise.all(flushing)).flat()
  }

  /** Ends all partitions, after uploading what was read if `flush` says so. */
  async close(flush: boolean): Promise<void> {
    for (const partition of this.#running.values()) {
      if (flush) partition.close('the worker stops')
      this.#leave(partition, partition.drained())
    }
    this.#running.clear()
    await this.#left()
  }

  #take(ownership: Ownership): PartitionBackup | undefined {
    const partition = this.get(ownership)
    if (partition !== undefined) this.#running.delete(ownership)
    return partition
  }

  #leave(partition: PartitionBackup, finished: Promise<void>, then: () => void = () => undefined): void {
    const { ownership } = partition
    const before = this.#leaving.get(ownership)
    const leaving: Promise<void> = this.#letGo(partition, finished)
      .then(() => before)
      .then(() => void (this.#leaving.get(ownership) === leaving && this.#leaving.delete(ownership)))
      .then(then)
    this.#leaving.set(ownership, leaving)
  }

  /** Never rejects. */
  async #letGo(partition: PartitionBackup, finished: Promise<void>): Promise<void> {
    try {
      await finished
    } catch (error) {
      partition.log.error({ err: error }, 'could not keep what was read')
    }
    await partition.leave()
  }

  async #left(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving.values())
  }

  /** Asks the cluster about all of them at once, then the store about each. */
  async #start(ownerships: readonly Ownership[]): Promise<void> {
    const { kafka, groupId } = this.#deps.context
    const topics = [...new Set(ownerships.map(({ topic }) => topic))]
    await kafka.routes.refresh(topics)
    const topicIds = new PartitionMap(ownerships.map(one => [one, kafka.routes.leader(one)?.topicId] as const))
    const [committed, bounds] = await Promise.all([
      kafka.admin.committed(groupId, ownerships),
      readLogBounds(kafka, ownerships),
    ])
    await kafka.routes.refresh(topics)
    this.#lineages.forgetListings()
    await Promise.all(
      ownerships.map(ownership =>
        this.#resuming(async () => {
          // The bounds are those of whatever had the topic's name: the topic may have been created anew since.
          const isSame = kafka.routes.leader(ownership)?.topicId === topicIds.get(ownership)
          if (isSame) await this.#startOne(ownership, committed.get(ownership), bounds.get(ownership))
          else if (!ownership.ended.aborted) this.start([ownership])
        }),
      ),
    )
  }

  /** The cluster could not be asked about partitions that were to be started. */
  async #notStarted(ownerships: readonly Ownership[], error: unknown): Promise<void> {
    const { context, onTrouble, onFatal } = this.#deps
    const left = ownerships.filter(({ ended }) => !ended.aborted)
    const [first] = left
    if (isAborted(error) || first === undefined) return
    if (!isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) return onFatal(error)
    const verdict = await onTrouble(error, first)
    if (verdict === 'try again') this.start(left)
    else if (verdict === 'stop') for (const ownership of left) this.#stopped(ownership, error, context.log)
  }

  async #startOne(
    ownership: Ownership,
    committed: CommittedOffset | undefined,
    bounds: LogBounds | MaxbrodError | undefined,
  ): Promise<void> {
    const { context, tally, targetOf, onTrouble, onFatal } = this.#deps
    const log = context.log.child({ topic: ownership.topic, partition: ownership.partition })
    if (ownership.ended.aborted) return
    try {
      if (bounds === undefined || bounds instanceof MaxbrodError)
        throw bounds ?? new Error(`no bounds of ${partitionName(ownership)}`)
      const partition = await this.#open(ownership, committed, bounds, log)
      tally.resumed(ownership)
      this.#running.set(ownership, partition)
      if (ownership.ended.aborted) return this.drop([ownership])
      await partition.commitStart()
      const target = targetOf(ownership)
      if (target !== undefined) partition.endAt(target)
    } catch (error) {
      if (ownership.ended.aborted || isAborted(error)) return
      if (isMaxbrodError(error, 'FOREIGN_ARCHIVE')) return onFatal(error)
      const partition = this.get(ownership)
      if (partition !== undefined) return partition.stop(error)
      const verdict = await onTrouble(error, ownership)
      if (ownership.ended.aborted) return
      if (verdict === 'try again') this.start([ownership])
      else if (verdict === 'stop') this.#stopped(ownership, error, log)
    }
  }

  async #open(
    ownership: Ownership,
    committed: CommittedOffset | undefined,
    bounds: LogBounds,
    log: Logger,
  ): Promise<PartitionBackup> {
    const { context, options, memory, press, committer, tally, room, onTrouble, onRecords, onUploaded } = this.#deps
    const { kafka } = context
    const { topic } = ownership
    const leader = kafka.routes.leader(ownership)
    // Without a leader nothing says which incarnation of the topic this is.
    if (leader === undefined) throw new MaxbrodError('KAFKA_GAVE_UP', `${partitionName(ownership)} has no leader`)
    const { topicId } = leader
    const facts = { folder: await this.#folders.of(topic, topicId), committed, bounds, leader }
    const { place, identity, resume, hasDiverged } = await this.#lineages.find(ownership, facts, log)
    // What the last ownership leaves comes to the spool first.
    await this.#leaving.get(ownership)
    const continued = continuedBy(resume, bounds, leader)
    // What was read of a log that turned out to be another one is not to be trusted.
    const limit = hasDiverged ? resume.chainEnd : continued.limit
    const spooled = await context.spool.take(place, identity, { ...continued, limit })
    const position = spooled.at(-1)?.to ?? resume.chainEnd
    const spooledFrom = spooled.length > 0 ? resume.chainEnd : undefined
    log.info({ position, spooledFrom, lineage: identity.lineage, ...bounds }, 'backing up')
    const deps: PartitionDeps = {
      context,
      memory,
      press,
      committer,
      log,
      uploads: this.#uploads,
      onUploaded: tile => {
        tally.uploaded(ownership, tile)
        onUploaded(ownership, tile)
        this.#count(topic, tile)
        log.info({ ...tile, gaps: tile.gaps.length === 0 ? undefined : tile.gaps }, 'uploaded')
      },
      onTrouble: error => onTrouble(error, ownership),
      onRecords: (records, bytes) => onRecords(topic, records, bytes),
      onStopped: error => this.#stopped(ownership, error, log),
      onTopicReplaced: () => this.#restart(ownership, log),
      onDiverged: found => this.#findAnew(ownership, found, log),
      isDiskFull: () => room.isFull,
      onDiskFull: error => room.filled(error),
    }
    const { limits } = context.rules.of(topic)
    return new PartitionBackup(place, identity, ownership, resume, { ...options, ...limits }, deps, spooled)
  }

  #count(topic: string, { bytes, gaps, seconds }: UploadedTile): void {
    const { metrics, clock } = this.#deps.context
    const { filesTotal, fileBytesTotal, gapOffsetsTotal, uploadSeconds, lastUploadTimestampSeconds } =
      metrics.of(backupMetrics)
    filesTotal.add(1, { topic })
    fileBytesTotal.add(bytes, { topic })
    for (const { from, to, reason } of gaps) gapOffsetsTotal.add(to - from, { topic, reason })
    uploadSeconds.observe(seconds)
    lastUploadTimestampSeconds.set(clock.now() / 1000, { topic })
  }

  /** The topic was deleted: what was read of it is kept, and a new topic of that name begins a folder of its own. */
  #restart(ownership: Ownership, log: Logger): void {
    const partition = this.#take(ownership)
    if (partition === undefined) return
    log.warn({ topicId: partition.identity.topicId }, 'the topic was deleted; keeping what was read of it')
    this.#leave(partition, partition.retire(), () => this.start([ownership]))
  }

  /** Kafka lost records that were read. What is durable of them stays; the log is read again from the end of the chain. */
  #findAnew(ownership: Ownership, divergence: Divergence, log: Logger): void {
    const partition = this.#take(ownership)
    if (partition === undefined) return
    this.#lineages.diverged(ownership, divergence, log)
    this.#leave(partition, partition.drained(), () => this.start([ownership]))
  }

  #stopped(ownership: Ownership, error: unknown, log: Logger): void {
    const { tally, committer, context } = this.#deps
    const { kafka, groupId, archive } = context
    tally.stopped(ownership, error)
    const deps = { kafka, groupId, archiveId: archive.archiveId, committer }
    void (this.get(ownership)?.drained() ?? Promise.resolve())
      .then(() => tellStopped(deps, ownership, error))
      .catch((cause: unknown) => log.warn({ err: cause }, 'could not tell the group that the partition stopped'))
    log.error({ err: error }, `${partitionName(ownership)} cannot be backed up any further; the others go on`)
  }
}
