import type { BatchCodec } from '../format/batch/record-batch.ts'
import type { FilledBatch } from '../format/transcode/to-batches.ts'
import type { Acknowledged, AppendAnswer, BatchAppender } from '../kafka/port/appending.ts'
import type { GroupSession, Ownership } from '../kafka/port/membership.ts'
import type { Trouble } from '../kafka/port/trouble.ts'
import { readTail } from '../kafka/tail.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { Throttle } from '../runtime/throttle.ts'
import type { ExecutorDeps } from './deps.ts'
import { judgeRefusal } from './judge-refusal.ts'
import { executorMetrics } from './metrics.ts'
import type { TargetProgress } from './resume.ts'
import type { StallWatch } from './stall-watch.ts'
import { checkLogStart, takesNothing, targetSpoiled } from './target-errors.ts'
import type { TargetPlace } from './target-errors.ts'
import { checkTailTime, checkTimes } from './target-times.ts'
import type { Targets } from './targets.ts'
import { WriteProof } from './write-proof.ts'

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

export interface TargetLogOptions extends TargetPlace {
  /** Of the topic that was planned, where brokers have ids. */
  readonly topicId?: string | undefined
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
  readonly #name: string
  readonly #with: TargetLogDeps
  /** Records of this restore that are known to be there. */
  #count = 0
  /** That the log is at `count`. */
  readonly #proof: WriteProof
  #reason: LookReason = 'start'
  /** What came instead of the last acknowledgement. */
  #trouble = 'nothing was sent'
  /** Where a batch was last called invalid. */
  #invalidAt = -1

  constructor(options: TargetLogOptions, deps: TargetLogDeps) {
    this.#options = options
    this.#name = partitionName(options)
    this.#with = deps
    const { stalls, session, ownership } = deps
    this.#proof = new WriteProof({ clock: deps.deps.clock, stalls, session, ownership })
  }

  get count(): number {
    return this.#count
  }

  /** Reads where the log ends. Throws TARGET_LOSING when its beginning was deleted. */
  async look(): Promise<TargetProgress> {
    const { deps, ownership } = this.#with
    deps.metrics.of(executorMetrics).tailReadsTotal.add(1, { reason: this.#reason })
    const moment = this.#proof.now()
    const tail = await readTail(
      { kafka: deps.kafka, clock: deps.clock, deadlineMs: TAIL_DEADLINE_MS },
      this.#options,
      ownership.ended,
    )
    checkLogStart(this.#options, tail.logStart, tail.logEnd)
    this.#proof.take(moment)
    this.#count = tail.logEnd - this.#options.baseOffset
    const last = tail.last?.offset === tail.logEnd - 1 ? tail.last : undefined
    if (this.#count > 0) checkTailTime(this.#options, last, this.#count)
    return { count: this.#count, tailSourceOffset: last?.sourceOffset }
  }

  /**
   * Sends the next batch, compressed by zstd if it is too large with its own codec: limits hold for compressed batches. Its builder
   * is released when nothing can refer to its bytes any more: without an answer they may still lie in a socket, and are left to
   * the garbage collector. Throws TARGET_SPOILED, TARGET_LOSING, TARGET_REFUSED, KAFKA_AUTH.
   */
  async append(filled: FilledBatch, codec: BatchCodec, maxBatchBytes: number): Promise<Appended> {
    const { deps, appender, throttle, ownership, onSent } = this.#with
    const { topic, topicId, partition, producerId } = this.#options
    const { builder } = filled
    const { records } = builder
    const stamp = { producerId, producerEpoch: 0, baseSequence: this.#count % SEQUENCES }
    const own = await builder.finish(codec, stamp)
    const fits = codec === 'zstd' || own.length <= maxBatchBytes
    const batch = fits ? own : await builder.finish('zstd', stamp)
    await throttle.take(batch.length, ownership.ended)
    const moment = this.#proof.now()
    const request = { topic, topicId, partition, batch, mayWrite: () => this.#proof.isFresh }
    const answer = await deps.vitals.during(`an append to ${this.#name}`, () => appender.append(request))
    if (answer.kind !== 'unanswered') builder.release()
    if (answer.kind !== 'acknowledged') return this.#takeRefusal(answer, filled, records)
    await this.#checkPlace(answer, batch)
    this.#count += records
    this.#proof.take(moment)
    onSent(records, batch.length)
    return 'appended'
  }

  /** Rule 1: every acknowledgement must name the place where the batch belongs, that of a repeat, too. */
  async #checkPlace({ baseOffset, appendTime, logStartOffset }: Acknowledged, batch: Buffer): Promise<void> {
    const expected = this.#options.baseOffset + this.#count
    if (baseOffset !== expected) throw await this.#misplaced(expected, baseOffset)
    checkTimes(this.#options, appendTime, batch, this.#count)
    checkLogStart(this.#options, logStartOffset)
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

  /** The error for a target that holds something else than this restore put there, beginning with the n-th record of the restore. */
  spoiled(reason: string, record: number): MaxbrodError {
    return targetSpoiled(this.#options, reason, record)
  }

  /** The error for a log that is looked at again and again, and takes nothing: time may heal it. */
  gaveUp(): MaxbrodError {
    return takesNothing(this.#options, this.#trouble)
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
        if (this.#proof.isFresh) await deps.clock.sleep(PAUSE_MS, ownership.ended) // no leader, or no connection to it
        else {
          appender.reset()
          await this.#proof.heartbeat()
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

  async #takeError(trouble: Trouble, { firstOffset, lastOffset }: FilledBatch, records: number): Promise<Appended> {
    const { deps, ownership } = this.#with
    this.#reason = 'refused'
    const isInvalidAgain = this.#invalidAt === this.#count
    if (trouble.kind === 'invalid') this.#invalidAt = this.#count
    const batch = { records, firstOffset, lastOffset, count: this.#count, isInvalidAgain }
    const verdict = judgeRefusal(this.#options, batch, trouble)
    if (verdict instanceof MaxbrodError) throw verdict
    if (verdict !== 'look again later') return verdict
    deps.log.debug(
      { target: this.#name, error: trouble.name },
      'the leader refused a batch, reading the end of the log',
    )
    await deps.clock.sleep(PAUSE_MS, ownership.ended)
    return 'look again'
  }
}
