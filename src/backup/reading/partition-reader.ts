import { DecodeError } from '../../format/batch/varint.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { FetchPartition, FetchedPartition } from '../../kafka/port/fetching.ts'
import type { Leader } from '../../kafka/port.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import { CorruptFetches } from './corrupt-fetches.ts'
import { EmptyAnswers } from './empty-answers.ts'
import { afterFailedTake } from './failed-take.ts'
import { FetchTroubles } from './fetch-troubles.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import type { PartitionDeps, PartitionOptions } from './partition-deps.ts'
import { PartitionPatience } from './partition-patience.ts'
import { ReadingState } from './reading-state.ts'
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
  readonly state: ReadingState
  readonly #options: ReaderOptions
  readonly #deps: ReaderDeps
  readonly #cursor: PartitionCursor
  readonly #patience: PartitionPatience
  readonly #empty: EmptyAnswers
  readonly #corrupt: CorruptFetches
  readonly #troubles: FetchTroubles
  #lastTakenAtMs: number
  #isTaking = false
  /** Epoch of the leader that was asked last. */
  #askedAt = -1
  #knownEnd: number | undefined

  constructor(options: ReaderOptions, deps: ReaderDeps) {
    const { place, identity, ownership, onCorrupt } = options
    const { context, cursor, log, onTopicReplaced, onTrouble, stop } = deps
    const { clock, kafka } = context
    const { topicId } = identity
    this.#options = options
    this.#deps = deps
    this.#cursor = cursor
    this.#lastTakenAtMs = clock.monotonic()
    const topic = new SameTopic(place, topicId, kafka)
    const state = new ReadingState(cursor, ownership)
    const patience = new PartitionPatience(place, clock)
    this.topic = topic
    this.state = state
    this.#patience = patience
    this.#corrupt = new CorruptFetches(place, { kafka, topicId, log, onCorrupt })
    const shared = { place, kafka, cursor, state, patience }
    this.#empty = new EmptyAnswers(shared)
    this.#troubles = new FetchTroubles({ ...shared, topic, log, onTopicReplaced, onTrouble, stop })
  }

  get lastTakenAtMs(): number {
    return this.#lastTakenAtMs
  }

  get askedAt(): number {
    return this.#askedAt
  }

  /** Where committed records ended when the leader answered last. */
  get knownEnd(): number | undefined {
    return this.#knownEnd
  }

  get isProbing(): boolean {
    return this.#empty.isProbing
  }

  /** The cursor was moved. */
  moved(): void {
    this.#empty.reset()
  }

  wants(leader: Leader, maxBytes: number): FetchPartition | undefined {
    const { hasRoom, isDiskFull } = this.#deps
    if (this.#patience.isPaused || isDiskFull() || !this.state.isHungry || !hasRoom()) return undefined
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
    const { state } = this
    // While the leader moves, the old one's answer and the new one's may both begin at our position: one of them counts.
    if (this.#isTaking) return
    if (!state.isStillAt(requested)) return this.#cursor.rewind()
    if (fetched.trouble === undefined) {
      this.#patience.relax()
      this.#knownEnd = fetched.lastStableOffset
      const { diverging } = fetched
      if (diverging !== undefined) return this.#diverge(diverging)
      const wasUnchecked = !state.isChecked
      state.check()
      // It was only asked whether the log is still ours.
      if (wasUnchecked && !state.isHungry) return this.#cursor.rewind()
    }
    this.#isTaking = true
    this.topic.read(fetched.isNamedById)
    try {
      await this.#takeAnswer(fetched, isAlone)
    } catch (error) {
      if (!state.isLost) this.#failed(error)
    } finally {
      this.#isTaking = false
    }
  }

  /** Nobody is there who could answer, not even with an error. */
  missLeader(): void {
    this.#troubles.suffer('LEADER_NOT_AVAILABLE')
  }

  #failed(error: unknown): void {
    const then = afterFailedTake(error)
    if (then === 'ask again') this.#patience.pause()
    else if (then === 'stop reading') this.#deps.stopReading(error)
    else this.#deps.stop(error)
  }

  #takeAnswer(fetched: FetchedPartition, isAlone: boolean): Promise<void> {
    if (fetched.trouble === undefined) return this.#takeRecords(fetched, isAlone)
    this.#cursor.rewind()
    return this.#troubles.take(fetched.trouble)
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
      this.#empty.reset()
      this.#cursor.moved()
    } else if (fetched.records.length === 0) await this.#empty.take(fetched.lastStableOffset, isAlone)
    this.#cursor.rewind()
  }

  async #takeCorrupt(error: DecodeError, fetched: FetchedPartition): Promise<void> {
    const at = this.#cursor.position
    const verdict = await this.#corrupt.judge(error, fetched, at)
    if (verdict === 'fetch again') return this.#patience.pause()
    if (!this.state.isStillAt(at)) return
    this.#cursor.declareGap(verdict.gapTo, 'corrupt-at-source')
    this.#corrupt.passed()
  }

  /** Nothing more is read or taken here: what is not in a file yet may be what Kafka lost. */
  #diverge({ leaderEpoch, endOffset }: NonNullable<FetchedPartition['diverging']>): void {
    this.state.end()
    const asked = { offset: this.#cursor.position, leaderEpoch: this.#cursor.lastEpoch }
    this.#deps.onDiverged({ asked, leaderEpoch, endOffset })
  }
}
