import { DecodeError } from '../format/batch/varint.ts'
import { batchesIn } from '../format/batch/record-batch.ts'
import type { PartitionPlace } from '../format/keys.ts'
import type { FetchPartition, FetchedPartition, Leader, Ownership, Trouble } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { CorruptFetches } from './corrupt-fetches.ts'
import type { PartitionIdentity } from './identity.ts'
import type { Divergence } from './lineage.ts'
import { Intake } from './intake.ts'
import { readLogBounds } from './log-bounds.ts'
import type { Gap } from '../format/tile-header.ts'
import type { ResumePoint } from './resume.ts'
import type { RotationLimits } from './rotation.ts'
import type { SpooledTile } from './spooled-tile.ts'
import { TileChain } from './tile-chain.ts'
import type { ChainDeps } from './tile-chain.ts'

/** Complete tiles that may wait for their upload before the partition is read on. */
const WAITING_TILES = 2
/** Between two tries of one partition. */
const PAUSE_MS = 200
/** How long a partition may get nothing but errors before somebody must decide about it. */
const TROUBLE_MS = 60_000
/** Empty answers to a fetch of this partition alone, before the position moves over what must be empty. */
const EMPTY_PROBES = 2

export interface PartitionOptions extends RotationLimits {
  readonly idleAfter: number
  readonly onCorrupt: 'stop' | 'gap'
}

export interface PartitionDeps extends Omit<
  ChainDeps,
  'onMoved' | 'onTrouble' | 'isSameTopic' | 'leaderEpoch' | 'lastEpoch'
> {
  /** True while nothing may be read, because there is no room for it. */
  readonly isDiskFull: () => boolean
  readonly onRecords: (records: number, bytes: number) => void
  /** An upload failed. Waits if there is a point in it; `give up` when the whole worker ends. */
  readonly onTrouble: (error: unknown) => Promise<Verdict>
  /** The partition cannot go on; the others do. Told once. */
  readonly onStopped: (error: unknown) => void
  /** The topic was deleted and created again. */
  readonly onTopicReplaced: () => void
  /** Kafka's log is not the one that was read: the partition must find its place anew. Told once. */
  readonly onDiverged: (divergence: Divergence) => void
}

/** What becomes of a partition after trouble. */
export type Verdict = 'try again' | 'stop' | 'give up'

/** One partition of the worker: what is read of it, and the tiles that it becomes. */
export class PartitionBackup {
  readonly ownership: Ownership
  readonly identity: PartitionIdentity
  readonly log: Logger
  readonly #place: PartitionPlace
  readonly #options: PartitionOptions
  readonly #deps: PartitionDeps
  readonly #intake: Intake
  readonly #chain: TileChain
  readonly #corrupt: CorruptFetches
  readonly #memberOfMemory: Disposable
  #nextFetch: number
  /** Leader epoch of what lies before it. */
  #nextEpoch: number
  #barrier: number
  #target: number | undefined
  #lastTakenAtMs: number
  /** Until then the partition is not asked for. */
  #pausedUntilMs = -Infinity
  /** When the first of the errors in a row came. */
  #troubledSinceMs: number | undefined
  /** Last stable offsets of empty answers that should not have been empty; undefined while there was none. */
  #probes: number[] | undefined
  #isTaking = false
  /** Epoch of the leader that was asked last. */
  #askedAt = -1
  /** True once records came that no topic id vouches for. */
  #isReadByName = false
  #isStopped = false
  /** Until Kafka has confirmed that its log has the end of our chain. */
  #isUnchecked: boolean

  constructor(
    place: PartitionPlace,
    identity: PartitionIdentity,
    ownership: Ownership,
    resume: ResumePoint,
    options: PartitionOptions,
    deps: PartitionDeps,
    spooled: readonly SpooledTile[] = [],
  ) {
    this.ownership = ownership
    this.startedAt = resume.chainEnd
    this.identity = identity
    this.log = deps.log
    this.#place = place
    this.#options = options
    this.#deps = deps
    this.#barrier = resume.barrier ?? Infinity
    this.#lastTakenAtMs = deps.context.clock.monotonic()
    this.#chain = new TileChain(
      place,
      identity,
      ownership,
      resume,
      options,
      {
        ...deps,
        isSameTopic: () => this.#isSameTopic(),
        onMoved: (position, barrier) => this.#moveTo(position, barrier),
        onTrouble: async error => {
          const verdict = await deps.onTrouble(error)
          if (verdict === 'stop') this.stop(error)
          return verdict === 'try again' ? verdict : 'stop'
        },
        leaderEpoch: () => this.#askedAt,
        lastEpoch: () => this.#intake.lastBatch.leaderEpoch,
      },
      spooled,
    )
    this.#nextFetch = this.#chain.end
    const last = spooled.length > 0 ? this.#chain.lastBatch : { leaderEpoch: resume.leaderEpoch, codec: undefined }
    this.#intake = new Intake(
      this.#chain.end,
      {
        pool: deps.context.pool,
        memory: deps.memory,
        press: deps.press,
        bounds: () => this.#chain.bounds,
        onBlock: (block, coversTo, onReleased) => this.#chain.add(block, coversTo, this.#intake.lastBatch, onReleased),
      },
      last,
    )
    this.#nextEpoch = last.leaderEpoch
    this.#isUnchecked = last.leaderEpoch >= 0
    this.#corrupt = new CorruptFetches(place, {
      kafka: deps.context.kafka,
      topicId: identity.topicId,
      log: deps.log,
      onCorrupt: options.onCorrupt,
    })
    this.#memberOfMemory = deps.memory.join(this.#intake)
    // What the spool has of it is no gap.
    if (resume.gap !== undefined && resume.gap.to > this.position) this.#declareGap(resume.gap.to, 'retention')
    if (this.position === this.#barrier) this.close('a file lies ahead')
  }

  /** Where this worker began with the partition. */
  readonly startedAt: number

  get position(): number {
    return this.#intake.position
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
    return this.#intake.openBytes + this.#chain.spooledBytes
  }

  /** Age of the oldest offset that was read and is not durable, in ms. */
  get bufferedAgeMs(): number {
    return this.#chain.oldestAgeMs
  }

  /** Offsets that were read and are not durable. */
  get bufferedOffsets(): number {
    return this.#isStopped ? 0 : this.position - this.committedTo
  }

  get dueInMs(): number {
    return this.#chain.dueInMs
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** False until it is known that Kafka's log has the end of our chain: an unclean leader election may have cut it. */
  get isChecked(): boolean {
    return !this.#isUnchecked
  }

  /** True when the next fetch must ask for this partition alone: only then does an empty answer mean anything. */
  get isProbing(): boolean {
    return this.#probes !== undefined
  }

  /** What to fetch next, or undefined while the partition should rest. */
  wants(leader: Leader, maxBytes: number): FetchPartition | undefined {
    const isPaused = this.#deps.context.clock.monotonic() < this.#pausedUntilMs
    if (isPaused || this.#deps.isDiskFull() || !this.#isHungry || this.#chain.waiting >= WAITING_TILES) return undefined
    const { topic, partition } = this.#place
    this.#askedAt = leader.leaderEpoch
    return {
      topic,
      partition,
      topicId: this.identity.topicId,
      offset: this.#nextFetch,
      leaderEpoch: leader.leaderEpoch,
      lastFetchedEpoch: this.#nextEpoch,
      maxBytes,
    }
  }

  /** Looks only at the headers of the batches, so that the next fetch can go out before anything is decoded. */
  announce({ trouble, records }: FetchedPartition, requested: number): void {
    if (trouble !== undefined || requested !== this.#nextFetch) return
    try {
      for (const batch of batchesIn(records)) {
        if (batch.nextOffset <= this.#nextFetch) continue
        this.#nextFetch = batch.nextOffset
        this.#nextEpoch = batch.leaderEpoch
      }
    } catch {
      // take() comes upon the same bytes and says what is wrong with them
    }
  }

  /**
   * Takes what a fetch from `requested` on has brought; `isAlone` when the fetch asked for nothing else. The routes must be
   * fresh if the leader has moved. Never throws, and never waits long: others were fetched in the same answer.
   */
  async take(fetched: FetchedPartition, requested: number, isAlone: boolean): Promise<void> {
    // While the leader moves, the old one's answer and the new one's may both begin at our position: one of them counts.
    if (this.#isTaking) return
    if (this.#isStopped || this.ownership.ended.aborted || requested !== this.position) return this.#rewind()
    if (fetched.trouble === undefined) {
      this.#troubledSinceMs = undefined
      const { diverging } = fetched
      if (diverging !== undefined) return this.#diverge(diverging)
      const wasUnchecked = this.#isUnchecked
      this.#isUnchecked = false
      // It was only asked whether the log is still ours.
      if (wasUnchecked && !this.#isHungry) return this.#rewind()
    }
    this.#isTaking = true
    this.#isReadByName ||= !fetched.isNamedById
    try {
      await (fetched.trouble === undefined ? this.#takeRecords(fetched, isAlone) : this.#takeTrouble(fetched.trouble))
    } catch (error) {
      if (this.ownership.ended.aborted) return
      // The cluster could not be asked: the next answer leads here again.
      if (isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) return this.#pause()
      // What was read up to here is sound, and the next worker would come no further either.
      if (isMaxbrodError(error, 'KAFKA_AUTH', 'BATCH_CORRUPT', 'BATCH_MAGIC')) void this.#stopReading(error)
      else this.stop(error)
    } finally {
      this.#isTaking = false
    }
  }

  /** To be called about once a second: closes what is due. */
  tick(): void {
    if (this.#isStopped || this.ownership.ended.aborted) return
    // Nobody is there who could answer with an error.
    if (this.#isHungry && this.#deps.context.kafka.routes.leader(this.#place) === undefined)
      this.#suffer('LEADER_NOT_AVAILABLE')
    try {
      // The age of what is in the open block counts, too, when nothing more comes.
      this.#chain.covered(this.position)
      const { clock } = this.#deps.context
      if (clock.monotonic() - this.#lastTakenAtMs >= this.#options.idleAfter) this.#rest()
      if (this.#chain.ageMs >= this.#options.maxFileAge) this.#intake.sealOpenBlock()
      this.#chain.rotate(this.position, this.#intake.openBytes > 0)
    } catch (error) {
      this.stop(error)
    }
  }

  /** Reads no further than `target`, and uploads what there is when it is reached. */
  endAt(target: number): void {
    this.#target = target
    this.#closeAtTarget()
  }

  /** Has everything taken so far uploaded. */
  close(reason: string): void {
    this.#intake.sealOpenBlock()
    this.#chain.close(this.position, reason)
  }

  /** Uploads and commits everything taken so far; true when that came about. Reading goes on meanwhile. */
  async flush(reason: string): Promise<boolean> {
    this.close(reason)
    const { position } = this
    await this.#chain.reached(position)
    return this.committedTo >= position
  }

  /** Uploads everything taken so far and commits nothing: the committed offset speaks of another incarnation by now. */
  async retire(): Promise<void> {
    this.#isStopped = true
    this.#chain.commitNoMore()
    this.close('the topic was deleted')
    await this.#chain.drained()
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

  /** Ends the partition, and leaves what was read and is not durable in the spool: it may come back. */
  async leave(): Promise<void> {
    if (!this.#isStopped) this.#intake.sealOpenBlock()
    this.#isStopped = true
    this.#memberOfMemory[Symbol.dispose]()
    this.#intake.reset(this.position)
    await this.#chain.leave()
  }

  /** Ends the partition where it stands, and drops what is not durable. */
  stop(error: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#deps.onStopped(error)
    void this.discard()
  }

  /** Lets go of memory and spool. What was not durable is read again by whoever owns the partition next. */
  async discard(): Promise<void> {
    this.#isStopped = true
    this.#memberOfMemory[Symbol.dispose]()
    this.#intake.reset(this.position)
    await this.#chain.discard()
  }

  /** Reads no further, and keeps what was read. */
  async #stopReading(error: unknown): Promise<void> {
    this.#isStopped = true
    this.#deps.onStopped(error)
    this.close('it cannot be read any further')
    await this.#chain.drained()
    await this.discard()
  }

  async #takeRecords(fetched: FetchedPartition, isAlone: boolean): Promise<void> {
    const { clock } = this.#deps.context
    const before = this.position
    try {
      const records = await this.#intake.take(fetched, this.#barrier)
      if (records === undefined) return this.#rewind()
      if (this.position > before) this.#corrupt.passed()
      this.#deps.onRecords(records, fetched.records.length)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      if (this.position > before) this.#corrupt.passed()
      await this.#takeCorrupt(error, fetched)
    }
    if (this.position > before) {
      this.#lastTakenAtMs = clock.monotonic()
      this.#probes = undefined
      this.#chain.covered(this.position)
      if (this.position === this.#barrier) this.close('a file lies ahead')
      this.#closeAtTarget()
    } else if (fetched.records.length === 0) await this.#probe(fetched.lastStableOffset, isAlone)
    this.#rewind()
  }

  /**
   * An empty answer although there should be something: the answer's budget may have been spent on other partitions, or
   * compaction took everything up to the end, or the records lie in tiered storage, which is slow or throttled now. Only two
   * empty answers to fetches of this partition alone, about offsets on the leader's own disk, tell the second.
   */
  async #probe(lastStableOffset: number, isAlone: boolean): Promise<void> {
    if (lastStableOffset <= this.position) {
      this.#probes = undefined
      return
    }
    this.#probes ??= []
    if (isAlone) this.#probes.push(lastStableOffset)
    if (this.#probes.length < EMPTY_PROBES) return
    const end = Math.min(...this.#probes, this.#barrier)
    const asked = this.position
    const isLocal = await this.#isOnLeadersDisk()
    if (this.position !== asked || this.#isStopped) return
    this.#probes = undefined
    if (!isLocal) return this.#pause()
    this.#intake.sealOpenBlock()
    this.#intake.skipTo(end)
    this.#chain.covered(this.position)
    if (this.position === this.#barrier) this.close('a file lies ahead')
    this.#closeAtTarget()
  }

  async #isOnLeadersDisk(): Promise<boolean> {
    const { offsets } = await this.#deps.context.kafka.admin.offsets('local log start', [this.#place])
    const localStart = offsets.get(this.#place)
    return localStart !== undefined && localStart <= this.position
  }

  async #takeTrouble({ name, kind }: Trouble): Promise<void> {
    this.#rewind()
    if (kind === 'out of range') await this.#lookAtLog()
    else if (kind === 'moved') {
      if (this.#isTopicReplaced) this.#deps.onTopicReplaced()
      this.#suffer(name)
    } else if (kind === 'denied') {
      const hint = 'grant Read and Describe on the topic'
      throw new MaxbrodError('KAFKA_AUTH', `cannot read ${partitionName(this.#place)}: ${name}`, {
        ...this.#place,
        hint,
      })
    } else this.#suffer(name)
  }

  /** Waits for an error to pass, and says so when it does not. */
  #suffer(name: string): void {
    this.#pause()
    const now = this.#deps.context.clock.monotonic()
    this.#troubledSinceMs ??= now
    if (now - this.#troubledSinceMs < TROUBLE_MS) return
    this.#troubledSinceMs = undefined
    void this.#tellOfTrouble(
      new MaxbrodError('KAFKA_GAVE_UP', `${partitionName(this.#place)} cannot be read for a minute: ${name}`, {
        ...this.#place,
        hint: 'check the brokers that hold replicas of it, and their logs',
      }),
    )
  }

  async #tellOfTrouble(error: MaxbrodError): Promise<void> {
    if ((await this.#deps.onTrouble(error)) === 'stop') this.stop(error)
  }

  get #isHungry(): boolean {
    const hasEnough = this.#nextFetch >= Math.min(this.#barrier, this.#target ?? Infinity)
    return (!hasEnough || this.#isUnchecked) && !this.#isStopped && !this.ownership.ended.aborted
  }

  get #isTopicReplaced(): boolean {
    const leader = this.#deps.context.kafka.routes.leader(this.#place)
    return leader !== undefined && leader.topicId !== this.identity.topicId
  }

  /**
   * Old brokers give whatever has the topic's name. Topic ids never come back: if the topic is still ours, all that was read
   * before is. If it is not, what is not durable may be of either topic.
   */
  async #isSameTopic(): Promise<boolean> {
    if (!this.#isReadByName) return true
    await this.#deps.context.kafka.routes.refresh([this.#place.topic])
    if (!this.#isTopicReplaced) return true
    this.log.warn(
      { from: this.committedTo, to: this.position },
      'the topic was created anew: dropping what was read since the last file',
    )
    void this.discard()
    this.#deps.onTopicReplaced()
    return false
  }

  /** The log does not have our position: it begins behind it, or ends before it. */
  async #lookAtLog(): Promise<void> {
    const { kafka } = this.#deps.context
    const requested = this.position
    const bounds = (await readLogBounds(kafka, [this.#place])).get(this.#place)
    await kafka.routes.refresh([this.#place.topic])
    // The bounds are those of whatever has the topic's name; another topic's say nothing about our offsets.
    if (this.#isTopicReplaced) return this.#deps.onTopicReplaced()
    this.#pause()
    if (this.#isStopped || this.position !== requested) return
    if (bounds === undefined || bounds instanceof MaxbrodError) return // asked again after the next fetch
    const { logStart, highWatermark } = bounds
    if (this.position < logStart) this.#declareGap(logStart, 'retention')
    else if (this.position > highWatermark) {
      throw new MaxbrodError(
        'LOG_BEHIND_BACKUP',
        `${partitionName(this.#place)} ends at ${highWatermark} and was read up to ${this.position}`,
        {
          ...this.#place,
          hint: 'the partition lost records (an unclean leader election?): what the backup holds is safe; nothing is added until Kafka has passed it',
        },
      )
    } else if (this.#intake.lastBatch.leaderEpoch >= 0) {
      // The broker does not know of the epoch that it was asked about, which is no fault of the offset.
      this.log.warn({ position: this.position }, 'cannot tell whether the log still has what was read; reading on')
      this.#intake.skipTo(this.position)
      this.#rewind()
      this.#isUnchecked = false
    }
  }

  /** Nothing more is read or taken here: what is not in a file yet may be what Kafka lost. */
  #diverge({ leaderEpoch, endOffset }: NonNullable<FetchedPartition['diverging']>): void {
    this.#isStopped = true
    const asked = { offset: this.position, leaderEpoch: this.#intake.lastBatch.leaderEpoch }
    this.#deps.onDiverged({ asked, leaderEpoch, endOffset })
  }

  #declareGap(end: number, reason: Gap['reason']): void {
    const gap = { from: this.position, to: Math.min(end, this.#barrier), reason }
    this.log.error(
      { ...gap, offsets: gap.to - gap.from },
      reason === 'retention'
        ? 'Kafka no longer has offsets that were not backed up: declaring a gap'
        : 'a batch in Kafka is corrupt: declaring a gap',
    )
    this.#intake.sealOpenBlock()
    this.#chain.addGap(gap)
    this.#intake.skipTo(gap.to)
    this.#rewind()
    if (this.position === this.#barrier) this.close('a file lies ahead')
    this.#closeAtTarget()
  }

  async #takeCorrupt(error: DecodeError, fetched: FetchedPartition): Promise<void> {
    const at = this.position
    const verdict = await this.#corrupt.judge(error, fetched, at)
    if (verdict === 'fetch again') return this.#pause()
    if (this.position !== at || this.#isStopped || this.ownership.ended.aborted) return
    this.#declareGap(verdict.gapTo, 'corrupt-at-source')
    this.#corrupt.passed()
  }

  #pause(): void {
    this.#pausedUntilMs = this.#deps.context.clock.monotonic() + PAUSE_MS
  }

  #rest(): void {
    this.#intake.sealOpenBlock()
    this.#chain.rest()
  }

  #closeAtTarget(): void {
    if (this.#target !== undefined && this.position >= this.#target) this.close('the end was reached')
  }

  #moveTo(position: number, barrier: number | undefined): void {
    this.#barrier = barrier ?? Infinity
    this.#probes = undefined
    this.#intake.reset(position)
    this.#rewind()
    this.#closeAtTarget()
  }

  #rewind(): void {
    this.#nextFetch = this.position
    this.#nextEpoch = this.#intake.lastBatch.leaderEpoch
  }
}
