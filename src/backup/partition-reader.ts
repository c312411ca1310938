import { DecodeError } from '../format/batch/varint.ts'
import type { PartitionPlace } from '../format/keys.ts'
import type { FetchPartition, FetchedPartition, Leader, Ownership, Trouble } from '../kafka/port.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { CorruptFetches } from './corrupt-fetches.ts'
import { EmptyProbes } from './empty-probes.ts'
import type { PartitionIdentity } from './identity.ts'
import { readLogBounds } from './log-bounds.ts'
import { judgeOutOfRange } from './out-of-range.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import type { PartitionDeps, PartitionOptions } from './partition-deps.ts'
import { PartitionPatience } from './partition-patience.ts'
import { SameTopic } from './same-topic.ts'

export interface ReaderOptions extends Pick<PartitionOptions, 'onCorrupt'> {
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly ownership: Ownership
}

export interface ReaderDeps extends PartitionDeps {
  readonly cursor: PartitionCursor
  /** False while so much waits for its upload that nothing more should be read. */
  readonly hasRoom: () => boolean
  /** The partition ends where it stands. */
  readonly stop: (error: unknown) => void
  /** It ends, and what was read is kept. */
  readonly stopReading: (error: unknown) => void
}

/** The talk with the leader of one partition: which fetches it wants, and what becomes of their answers. */
export class PartitionReader {
  readonly topic: SameTopic
  readonly #options: ReaderOptions
  readonly #deps: ReaderDeps
  readonly #cursor: PartitionCursor
  readonly #probes = new EmptyProbes()
  readonly #patience: PartitionPatience
  readonly #corrupt: CorruptFetches
  #lastTakenAtMs: number
  #isTaking = false
  /** Epoch of the leader that was asked last. */
  #askedAt = -1
  #isOver = false
  /** Until Kafka has confirmed that its log has the end of our chain. */
  #isUnchecked: boolean

  constructor(options: ReaderOptions, deps: ReaderDeps) {
    const { place, identity, onCorrupt } = options
    const { context, log } = deps
    const { clock, kafka } = context
    const { topicId } = identity
    this.#options = options
    this.#deps = deps
    this.#cursor = deps.cursor
    this.#lastTakenAtMs = clock.monotonic()
    this.#isUnchecked = deps.cursor.lastEpoch >= 0
    this.#patience = new PartitionPatience(place, clock)
    this.#corrupt = new CorruptFetches(place, { kafka, topicId, log, onCorrupt })
    this.topic = new SameTopic(place, topicId, kafka)
  }

  get lastTakenAtMs(): number {
    return this.#lastTakenAtMs
  }

  get askedAt(): number {
    return this.#askedAt
  }

  /** True once nothing more is taken. */
  get isOver(): boolean {
    return this.#isOver
  }

  get isChecked(): boolean {
    return !this.#isUnchecked
  }

  get isProbing(): boolean {
    return this.#probes.isProbing
  }

  get isHungry(): boolean {
    return (!this.#cursor.hasEnough || this.#isUnchecked) && !this.#isOver && !this.#isLost
  }

  /** Takes nothing any more. */
  end(): void {
    this.#isOver = true
  }

  /** The cursor was moved. */
  moved(): void {
    this.#probes.reset()
  }

  wants(leader: Leader, maxBytes: number): FetchPartition | undefined {
    const { hasRoom, isDiskFull } = this.#deps
    if (this.#patience.isPaused || isDiskFull() || !this.isHungry || !hasRoom()) return undefined
    const { topic, partition } = this.#options.place
    const { topicId } = this.#options.identity
    const { leaderEpoch } = leader
    this.#askedAt = leaderEpoch
    const { offset, epoch: lastFetchedEpoch } = this.#cursor.next
    return { topic, partition, topicId, offset, leaderEpoch, lastFetchedEpoch, maxBytes }
  }

  announce({ trouble, records }: FetchedPartition, requested: number): void {
    if (trouble === undefined && requested === this.#cursor.next.offset) this.#cursor.announce(records)
  }

  async take(fetched: FetchedPartition, requested: number, isAlone: boolean): Promise<void> {
    // While the leader moves, the old one's answer and the new one's may both begin at our position: one of them counts.
    if (this.#isTaking) return
    if (this.#isOver || this.#isLost || requested !== this.#cursor.position) return this.#cursor.rewind()
    if (fetched.trouble === undefined) {
      this.#patience.relax()
      const { diverging } = fetched
      if (diverging !== undefined) return this.#diverge(diverging)
      const wasUnchecked = this.#isUnchecked
      this.#isUnchecked = false
      // It was only asked whether the log is still ours.
      if (wasUnchecked && !this.isHungry) return this.#cursor.rewind()
    }
    this.#isTaking = true
    this.topic.read(fetched.isNamedById)
    try {
      await (fetched.trouble === undefined ? this.#takeRecords(fetched, isAlone) : this.#takeTrouble(fetched.trouble))
    } catch (error) {
      if (this.#isLost) return
      // The cluster could not be asked: the next answer leads here again.
      if (isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) return this.#patience.pause()
      // What was read up to here is sound, and the next worker would come no further either.
      if (isMaxbrodError(error, 'KAFKA_AUTH', 'BATCH_CORRUPT', 'BATCH_MAGIC')) this.#deps.stopReading(error)
      else this.#deps.stop(error)
    } finally {
      this.#isTaking = false
    }
  }

  /** Waits for an error to pass, and says so when it does not. */
  suffer(name: string): void {
    const error = this.#patience.suffer(name)
    if (error !== undefined) void this.#tellOfTrouble(error)
  }

  get #isLost(): boolean {
    return this.#options.ownership.ended.aborted
  }

  async #takeRecords(fetched: FetchedPartition, isAlone: boolean): Promise<void> {
    const { context, onRecords } = this.#deps
    const before = this.#cursor.position
    try {
      const records = await this.#cursor.take(fetched)
      if (records === undefined) return this.#cursor.rewind()
      if (this.#cursor.position > before) this.#corrupt.passed()
      onRecords(records, fetched.records.length)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      if (this.#cursor.position > before) this.#corrupt.passed()
      await this.#takeCorrupt(error, fetched)
    }
    if (this.#cursor.position > before) {
      this.#lastTakenAtMs = context.clock.monotonic()
      this.#probes.reset()
      this.#cursor.moved()
    } else if (fetched.records.length === 0) await this.#takeNothing(fetched.lastStableOffset, isAlone)
    this.#cursor.rewind()
  }

  async #takeNothing(lastStableOffset: number, isAlone: boolean): Promise<void> {
    const { position: asked, barrier } = this.#cursor
    const end = this.#probes.answered(asked, lastStableOffset, isAlone)
    if (end === undefined) return
    const isLocal = await this.#isOnLeadersDisk()
    if (this.#cursor.position !== asked || this.#isOver) return
    this.#probes.reset()
    if (isLocal) this.#cursor.skipTo(Math.min(end, barrier))
    else this.#patience.pause()
  }

  async #isOnLeadersDisk(): Promise<boolean> {
    const { place } = this.#options
    const { offsets } = await this.#deps.context.kafka.admin.offsets('local log start', [place])
    const localStart = offsets.get(place)
    return localStart !== undefined && localStart <= this.#cursor.position
  }

  async #takeCorrupt(error: DecodeError, fetched: FetchedPartition): Promise<void> {
    const at = this.#cursor.position
    const verdict = await this.#corrupt.judge(error, fetched, at)
    if (verdict === 'fetch again') return this.#patience.pause()
    if (this.#cursor.position !== at || this.#isOver || this.#isLost) return
    this.#cursor.declareGap(verdict.gapTo, 'corrupt-at-source')
    this.#corrupt.passed()
  }

  async #takeTrouble({ name, kind }: Trouble): Promise<void> {
    this.#cursor.rewind()
    if (kind === 'out of range') return this.#lookAtLog()
    if (kind === 'denied') {
      const { place } = this.#options
      const hint = 'grant Read and Describe on the topic'
      throw new MaxbrodError('KAFKA_AUTH', `cannot read ${partitionName(place)}: ${name}`, { ...place, hint })
    }
    if (kind === 'moved' && this.topic.isReplaced) this.#deps.onTopicReplaced()
    this.suffer(name)
  }

  async #tellOfTrouble(error: MaxbrodError): Promise<void> {
    if ((await this.#deps.onTrouble(error)) === 'stop') this.#deps.stop(error)
  }

  /** The log does not have our position: it begins behind it, or ends before it. */
  async #lookAtLog(): Promise<void> {
    const { context, log, onTopicReplaced } = this.#deps
    const { place } = this.#options
    const requested = this.#cursor.position
    const bounds = (await readLogBounds(context.kafka, [place])).get(place)
    await context.kafka.routes.refresh([place.topic])
    // The bounds are those of whatever has the topic's name; another topic's say nothing about our offsets.
    if (this.topic.isReplaced) return onTopicReplaced()
    this.#patience.pause()
    const { position, lastEpoch } = this.#cursor
    if (this.#isOver || position !== requested) return
    if (bounds === undefined || bounds instanceof MaxbrodError) return // asked again after the next fetch
    const verdict = judgeOutOfRange(place, position, lastEpoch, bounds)
    if (verdict.kind === 'gap') this.#cursor.declareGap(verdict.to, 'retention')
    else if (verdict.kind === 'unknown epoch') {
      log.warn({ position }, 'cannot tell whether the log still has what was read; reading on')
      this.#cursor.forgetEpoch()
      this.#isUnchecked = false
    }
  }

  /** Nothing more is read or taken here: what is not in a file yet may be what Kafka lost. */
  #diverge({ leaderEpoch, endOffset }: NonNullable<FetchedPartition['diverging']>): void {
    this.#isOver = true
    const asked = { offset: this.#cursor.position, leaderEpoch: this.#cursor.lastEpoch }
    this.#deps.onDiverged({ asked, leaderEpoch, endOffset })
  }
}
