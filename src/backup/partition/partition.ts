import type { PartitionPlace } from '../../format/keys.ts'
import type { FetchPartition, FetchedPartition } from '../../kafka/port/fetching.ts'
import type { Leader } from '../../kafka/port.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import type { WorkerContext } from '../deps.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import type { PartitionCursor } from '../reading/partition-cursor.ts'
import type { PartitionDeps, PartitionOptions } from '../reading/partition-deps.ts'
import type { PartitionEnding } from './partition-ending.ts'
import { assemblePartition } from './partition-parts.ts'
import type { PartitionStart } from './partition-parts.ts'
import type { PartitionReader } from '../reading/partition-reader.ts'
import type { TileChain } from '../chain/tile-chain.ts'

/** One partition of the worker, from its resume point until it is given up: what is read of it, and the tiles that it becomes. */
export class PartitionBackup {
  readonly ownership: Ownership
  readonly identity: PartitionIdentity
  readonly log: Logger
  /** Where this worker began with the partition. */
  readonly startedAt: number
  /** The first offset that its files cover. */
  readonly origin: number
  readonly #place: PartitionPlace
  readonly #options: PartitionOptions
  readonly #context: WorkerContext
  readonly #chain: TileChain
  readonly #cursor: PartitionCursor
  readonly #reader: PartitionReader
  readonly #ending: PartitionEnding

  constructor(start: PartitionStart, deps: PartitionDeps) {
    const { place, identity, ownership, resume, options } = start
    this.ownership = ownership
    this.startedAt = resume.chainEnd
    this.origin = resume.origin
    this.identity = identity
    this.log = deps.log
    this.#place = place
    this.#options = options
    this.#context = deps.context
    const parts = assemblePartition(start, deps)
    this.#chain = parts.chain
    this.#cursor = parts.cursor
    this.#reader = parts.reader
    this.#ending = parts.ending
    // What the spool has of it is no gap.
    if (resume.gap !== undefined && resume.gap.to > this.position) this.#cursor.declareGap(resume.gap.to, 'retention')
    if (this.position === this.#cursor.barrier) this.close('a file lies ahead')
  }

  get position(): number {
    return this.#cursor.position
  }

  /** Where it ended in Kafka when that was asked last; undefined before. */
  get knownEnd(): number | undefined {
    return this.#reader.knownEnd
  }

  get committedTo(): number {
    return this.#chain.committedTo
  }

  /** Bytes on the disk that `closeForRoom` would have uploaded. */
  get openSpoolBytes(): number {
    return this.#chain.openBytes
  }

  /** Complete tiles that are not durable yet. */
  get waiting(): number {
    return this.#chain.waiting
  }

  get bufferedBytes(): number {
    return this.#cursor.intake.openBytes + this.#chain.spooledBytes
  }

  /** Age of the oldest offset that was read and is not durable, in ms. */
  get bufferedAgeMs(): number {
    return this.#chain.oldestAgeMs
  }

  /** Offsets that were read and are not durable. */
  get bufferedOffsets(): number {
    return this.isStopped ? 0 : this.position - this.committedTo
  }

  get dueInMs(): number {
    return this.#chain.dueInMs
  }

  get isStopped(): boolean {
    return this.#reader.state.isOver
  }

  /** False until it is known that Kafka's log has the end of our chain: an unclean leader election may have cut it. */
  get isChecked(): boolean {
    return this.#reader.state.isChecked
  }

  /** True when the next fetch must ask for this partition alone: only then does an empty answer mean anything. */
  get isProbing(): boolean {
    return this.#reader.isProbing
  }

  /** What to fetch next, or undefined while the partition should rest. */
  wants(leader: Leader, maxBytes: number): FetchPartition | undefined {
    return this.#reader.wants(leader, maxBytes)
  }

  /** Looks only at the headers of the batches, so that the next fetch can go out before anything is decoded. */
  announce(fetched: FetchedPartition, requested: number): void {
    this.#reader.announce(fetched, requested)
  }

  /**
   * Takes what a fetch from `requested` on has brought; `isAlone` when the fetch asked for nothing else. The routes must be
   * fresh if the leader has moved. Never throws, and never waits long: others were fetched in the same answer.
   */
  take(fetched: FetchedPartition, requested: number, isAlone: boolean): Promise<void> {
    return this.#reader.take(fetched, requested, isAlone)
  }

  /** To be called about once a second: closes what is due. */
  tick(): void {
    if (this.isStopped || this.ownership.ended.aborted) return
    const { kafka, clock } = this.#context
    if (this.#reader.state.isHungry && kafka.routes.leader(this.#place) === undefined) this.#reader.missLeader()
    try {
      // The age of what is in the open block counts, too, when nothing more comes.
      this.#chain.covered(this.position)
      if (clock.monotonic() - this.#reader.lastTakenAtMs >= this.#options.idleAfter) this.#rest()
      if (this.#chain.ageMs >= this.#options.maxFileAge) this.#cursor.intake.sealOpenBlock()
      this.#chain.rotate(this.position, this.#cursor.intake.openBytes > 0)
    } catch (error) {
      this.stop(error)
    }
  }

  /** Reads no further than `target`, and uploads what there is when it is reached. */
  endAt(target: number): void {
    this.#cursor.endAt(target)
  }

  /** Has everything taken so far uploaded. */
  close(reason: string): void {
    this.#cursor.close(reason)
  }

  /** Uploads and commits everything taken so far; true when that came about. Reading goes on meanwhile. */
  async flush(reason: string): Promise<boolean> {
    this.close(reason)
    const { position } = this
    await this.#chain.reached(position)
    return this.committedTo >= position
  }

  /** See PartitionEnding for this, and for the other ways to end. */
  async retire(): Promise<void> {
    await this.#ending.retire()
  }

  /** Lets uploads that have begun finish. */
  async drained(): Promise<void> {
    await this.#chain.drained()
  }

  async commitStart(): Promise<void> {
    await this.#chain.commitStart()
  }

  /** Has the file that is being filled uploaded, which gives its room on the disk back. */
  closeForRoom(): void {
    if (this.openSpoolBytes > 0) this.#chain.close(this.#chain.end, 'the disk is full')
  }

  async leave(): Promise<void> {
    await this.#ending.leave()
  }

  stop(error: unknown): void {
    this.#ending.stop(error)
  }

  async discard(): Promise<void> {
    await this.#ending.discard()
  }

  #rest(): void {
    this.#cursor.intake.sealOpenBlock()
    this.#chain.rest()
  }
}
