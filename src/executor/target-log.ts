import type { BatchCodec } from '../format/batch/record-batch.ts'
import type { FilledBatch } from '../format/transcode/to-batches.ts'
import type { AppendAnswer, BatchAppender, GroupSession, Ownership, Trouble } from '../kafka/port.ts'
import { readTail } from '../kafka/tail.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { Throttle } from '../runtime/throttle.ts'
import type { ExecutorDeps } from './deps.ts'
import { executorMetrics } from './metrics.ts'
import type { TargetProgress } from './resume.ts'
import type { StallWatch } from './stall-watch.ts'
import type { Targets } from './targets.ts'

export interface TargetLogDeps {
  readonly deps: ExecutorDeps
  readonly appender: BatchAppender
  readonly session: GroupSession
  readonly ownership: Ownership
  readonly stalls: StallWatch
  readonly throttle: Throttle
  readonly targets: Pick<Targets, 'inspect'>
  /** Records were acknowledged, in a batch of so many bytes. */
  readonly onSent: (records: number, bytes: number) => void
}

export interface TargetLogOptions extends TopicPartition {
  /** Of the topic that was planned, where brokers have ids. */
  readonly topicId?: string | undefined
  readonly baseOffset: number
  readonly producerId: bigint
}

/** What became of a batch. */
export type Appended =
  | 'appended'
  /** Nothing is known but what the log says. */
  | 'look again'
  /** The target takes only smaller batches, or refuses a record among these. */
  | 'smaller'

/** Why the log is read before anything is sent. */
export type LookReason = 'start' | 'unanswered' | 'stale' | 'refused'

/** How long a proof that this executor may write holds. */
const FRESH_MS = 5_000
const SEQUENCES = 2 ** 31
const PAUSE_MS = 250
const TAIL_DEADLINE_MS = 60_000

/**
 * One target partition as a compare-and-append log (docs/restore.md, "Rules of the append"). The broker takes a batch only at
 * the one right sequence for as long as it remembers the producer; because it can forget, the place of every acknowledged
 * batch is checked, and nothing is sent on the strength of old knowledge.
 */
export class TargetLog {
  readonly #options: TargetLogOptions
  readonly #with: TargetLogDeps
  /** Records of this restore that are known to be there. */
  #count = 0
  /** The last moment at which the log was known to be at `count`, and how often the process had stalled then. */
  #proof = { atMs: -Infinity, stalls: -1 }
  #reason: LookReason = 'start'
  /** What came instead of the last acknowledgement. */
  #trouble = 'nothing was sent'
  /** Where a batch was last called invalid. */
  #invalidAt = -1

  constructor(options: TargetLogOptions, deps: TargetLogDeps) {
    this.#options = options
    this.#with = deps
  }

  get count(): number {
    return this.#count
  }

  /** Reads where the log ends. Throws TARGET_LOSING when its beginning was deleted. */
  async look(): Promise<TargetProgress> {
    const { deps, stalls, ownership } = this.#with
    deps.metrics.of(executorMetrics).tailReadsTotal.add(1, { reason: this.#reason })
    const proof = { atMs: deps.clock.monotonic(), stalls: stalls.count() }
    const tail = await readTail(
      { kafka: deps.kafka, clock: deps.clock, deadlineMs: TAIL_DEADLINE_MS },
      this.#options,
      ownership.ended,
    )
    this.#checkLogStart(tail.logStart)
    this.#proof = proof
    this.#count = tail.logEnd - this.#options.baseOffset
    const isOurs = tail.last !== undefined && tail.last.offset === tail.logEnd - 1
    return { count: this.#count, tailSourceOffset: isOurs ? tail.last?.sourceOffset : undefined }
  }

  /**
   * Sends the next batch, compressed if it is too large otherwise. Its builder is released when nothing can refer to its bytes any more: without an answer they may
   * still lie in a socket, and are left to the garbage collector. Throws TARGET_SPOILED, TARGET_LOSING, TARGET_REFUSED, KAFKA_AUTH.
   */
  async append(filled: FilledBatch, codec: BatchCodec, maxBatchBytes: number): Promise<Appended> {
    const { deps, appender, stalls, throttle, ownership, onSent } = this.#with
    const { topic, topicId, partition, producerId } = this.#options
    const { builder } = filled
    const { records } = builder
    const stamp = { producerId, producerEpoch: 0, baseSequence: this.#count % SEQUENCES }
    const isTooLarge = codec === 'none' && builder.length > maxBatchBytes
    const batch = await builder.finish(isTooLarge ? 'zstd' : codec, stamp)
    await throttle.take(batch.length, ownership.ended)
    const proof = { atMs: deps.clock.monotonic(), stalls: stalls.count() }
    const request = { topic, topicId, partition, batch, mayWrite: () => this.#mayWrite() }
    const what = `an append to ${partitionName(request)}`
    const answer = await deps.vitals.during(what, () => appender.append(request))
    if (answer.kind !== 'unanswered') builder.release()
    if (answer.kind !== 'acknowledged') return this.#takeRefusal(answer, filled, records)
    await this.#checkPlace(answer)
    this.#count += records
    this.#proof = proof
    onSent(records, batch.length)
    return 'appended'
  }

  /** Rule 3: old knowledge allows no write. */
  #mayWrite(): boolean {
    const { deps, stalls, session, ownership } = this.#with
    if (ownership.ended.aborted || stalls.count() !== this.#proof.stalls) return false
    return deps.clock.monotonic() - Math.max(this.#proof.atMs, session.provenAtMs) <= FRESH_MS
  }

  /** Rule 1: every acknowledgement must name the place where the batch belongs, that of a repeat, too. */
  async #checkPlace({ baseOffset, logStartOffset }: { baseOffset: number; logStartOffset: number }): Promise<void> {
    const expected = this.#options.baseOffset + this.#count
    if (baseOffset !== expected) throw await this.#misplaced(expected, baseOffset)
    this.#checkLogStart(logStartOffset)
  }

  /** A topic that was deleted and created again takes whatever comes: what looks like another producer may be another topic. */
  async #misplaced(expected: number, actual: number): Promise<unknown> {
    try {
      await this.#with.targets.inspect(this.#options.topic)
    } catch (error) {
      if (isMaxbrodError(error, 'TARGET_REPLACED')) return error
    }
    return this.spoiled(`a batch for offset ${expected} was put at ${actual}`, this.#count)
  }

  #checkLogStart(logStart: number): void {
    const { baseOffset } = this.#options
    if (logStart <= baseOffset) return
    throw new MaxbrodError(
      'TARGET_LOSING',
      `${this.#name} now begins at ${logStart}, and the restore began at ${baseOffset}`,
      {
        topic: this.#options.topic,
        partition: this.#options.partition,
        hint: 'something deletes records: set retention.ms=-1 and retention.bytes=-1, then restore into a new topic',
      },
    )
  }

  /** The error for a target that holds something else than this restore put there, beginning with the n-th record of the restore. */
  spoiled(reason: string, record: number): MaxbrodError {
    const { topic, partition, baseOffset } = this.#options
    const offset = baseOffset + record
    return new MaxbrodError('TARGET_SPOILED', `${this.#name} is spoiled from offset ${offset} on: ${reason}`, {
      topic,
      partition,
      offset,
      hint: 'another producer wrote to it, or a late copy arrived: restore this topic again under another name',
    })
  }

  /** The error for a log that is looked at again and again, and takes nothing: time may heal it. */
  gaveUp(): MaxbrodError {
    return new MaxbrodError('KAFKA_GAVE_UP', `${this.#name} takes no records: ${this.#trouble}`, {
      topic: this.#options.topic,
      partition: this.#options.partition,
      hint: 'check the leader and the in-sync replicas of the partition',
    })
  }

  async #takeRefusal(
    answer: Exclude<AppendAnswer, { kind: 'acknowledged' }>,
    filled: FilledBatch,
    records: number,
  ): Promise<Appended> {
    const { deps, appender, ownership } = this.#with
    deps.metrics.of(executorMetrics).troublesTotal.add(1)
    this.#trouble = answer.kind === 'refused' ? answer.trouble.name : answer.reason
    switch (answer.kind) {
      case 'unsent':
        this.#reason = 'stale'
        // This chain is over, and it alone: the batches of others are on their way over the same connections.
        if (ownership.ended.aborted) return 'look again'
        if (this.#mayWrite()) await deps.clock.sleep(PAUSE_MS, ownership.ended) // no leader, or no connection to it
        else {
          appender.reset()
          await this.#provenAgain()
        }
        return 'look again'
      case 'unanswered':
        this.#reason = 'unanswered'
        deps.log.debug(
          { target: this.#name, reason: answer.reason },
          'no answer to a batch, reading the end of the log',
        )
        await deps.clock.sleep(PAUSE_MS, ownership.ended)
        return 'look again'
      case 'refused':
        return this.#takeError(answer.trouble, filled, records)
    }
  }

  async #takeError(
    { name, kind }: Trouble,
    { firstOffset, lastOffset }: FilledBatch,
    records: number,
  ): Promise<Appended> {
    const { deps, ownership } = this.#with
    const facts = {
      topic: this.#options.topic,
      partition: this.#options.partition,
      firstOffset,
      lastOffset,
      error: name,
    }
    const which =
      records === 1
        ? `the record with source offset ${firstOffset}`
        : `a batch with source offsets ${firstOffset} to ${lastOffset}`
    this.#reason = 'refused'
    switch (kind) {
      case 'too large':
        if (records > 1) return 'smaller'
        throw new MaxbrodError('TARGET_REFUSED', `${this.#name} refuses ${which}: ${name}`, {
          ...facts,
          hint: 'raise max.message.bytes of the topic, then run restore --retry-quarantined',
        })
      case 'invalid':
        // An executor that did not know yet that the plan has grown may have sealed the topic, which is opened before the
        // next attempt; or the bytes were damaged on their way.
        if (this.#invalidAt !== this.#count) {
          this.#invalidAt = this.#count
          return 'look again'
        }
        if (records > 1) return 'smaller' // until the one that is refused is alone, and all before it are there
        throw new MaxbrodError('TARGET_REFUSED', `${this.#name} refuses ${which}: ${name}`, {
          ...facts,
          hint: 'see what the broker’s log says of it; for timestamps, message.timestamp.before.max.ms and .after.max.ms',
        })
      case 'denied':
        throw new MaxbrodError('KAFKA_AUTH', `cannot write to ${this.#name}: ${name}`, {
          ...facts,
          hint: 'grant Write on the topic and IdempotentWrite on the cluster',
        })
      case 'fenced':
        throw this.spoiled('another producer took over its producer id', this.#count)
      case 'sequence':
      case 'moved':
      case 'temporary':
        deps.log.debug({ target: this.#name, error: name }, 'the leader refused a batch, reading the end of the log')
        await deps.clock.sleep(PAUSE_MS, ownership.ended)
        return 'look again'
      default:
        throw new MaxbrodError('KAFKA_PROTOCOL', `${this.#name} refuses ${which}: ${name}`, facts)
    }
  }

  /** After a pause, only a heartbeat sent later than now proves that this executor is still in charge. */
  async #provenAgain(): Promise<void> {
    const { deps, session, ownership } = this.#with
    const now = deps.clock.monotonic()
    while (session.provenAtMs < now && !ownership.ended.aborted) await deps.clock.sleep(PAUSE_MS / 5, ownership.ended)
  }

  get #name(): string {
    return partitionName(this.#options)
  }
}
