import { MagicError } from '../../format/batch/record-batch.ts'
import { DecodeError } from '../../format/batch/varint.ts'
import type { FetchedPartition } from '../../kafka/port/fetching.ts'
import type { Kafka } from '../../kafka/port.ts'
import type { Logger } from '../../observe/logger.ts'
import { MaxbrodError, messageOf } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { corruptBatchAt, corruptRangeEnd, firstBatchOf } from './corrupt-range.ts'
import type { BatchBehind, CorruptBatch } from './corrupt-range.ts'

/** How often a corrupt batch is fetched again, each time over a new connection, before it is called corrupt. */
const CORRUPT_TRIES = 3
const MAX_WAIT_MS = 500

export interface CorruptFetchesDeps {
  readonly kafka: Kafka
  readonly topicId: string | undefined
  readonly log: Logger
  /** What becomes of a batch that stays corrupt. */
  readonly onCorrupt: 'stop' | 'gap'
}

/** Says what to do about fetched bytes that cannot be decoded. */
export class CorruptFetches {
  readonly #place: TopicPartition
  readonly #deps: CorruptFetchesDeps
  #tries = 0

  constructor(place: TopicPartition, deps: CorruptFetchesDeps) {
    this.#place = place
    this.#deps = deps
  }

  /** To be called when something sound was read. */
  passed(): void {
    this.#tries = 0
  }

  /**
   * Bytes may be damaged on their way: they are fetched again. What stays corrupt is a gap up to `gapTo` if the user wants
   * that, and if it is certain which offsets it leaves out. Else throws BATCH_CORRUPT, and BATCH_MAGIC for an old format.
   */
  async judge(
    error: DecodeError,
    { records }: FetchedPartition,
    position: number,
  ): Promise<'fetch again' | { readonly gapTo: number }> {
    const { kafka, log, onCorrupt } = this.#deps
    const where = `${partitionName(this.#place)} at offset ${position}`
    if (error instanceof MagicError) {
      const hint = 'let the broker rewrite the segment, or copy the topic with a Kafka tool'
      throw new MaxbrodError('BATCH_MAGIC', `${where}: ${error.message}`, { ...this.#facts, hint, cause: error })
    }
    this.#tries++
    if (this.#tries <= CORRUPT_TRIES) {
      log.warn(
        { offset: position, reason: messageOf(error), tries: this.#tries },
        'fetched a corrupt batch, fetching it again over a new connection',
      )
      const leader = kafka.routes.leader(this.#place)
      if (leader !== undefined) kafka.fetcher.reconnect(leader.nodeId)
      return 'fetch again'
    }
    const corrupt = corruptBatchAt(records, position)
    const gapTo = corrupt === undefined || onCorrupt === 'stop' ? undefined : await this.#rangeEnd(corrupt)
    if (gapTo === 'fetch again') return gapTo
    if (gapTo !== undefined) return { gapTo }
    throw new MaxbrodError('BATCH_CORRUPT', `${where}: ${error.message}`, {
      ...this.#facts,
      offset: position,
      cause: error,
      hint:
        corrupt === undefined || onCorrupt === 'gap'
          ? 'let the broker check the log segment (kafka-dump-log); another replica may be sound: make it the leader'
          : 'another replica may be sound: make it the leader; else --on-corrupt gap leaves out this batch, and says so',
    })
  }

  get #facts(): TopicPartition {
    return { topic: this.#place.topic, partition: this.#place.partition }
  }

  async #rangeEnd(corrupt: CorruptBatch): Promise<number | 'fetch again' | undefined> {
    if (corrupt.behind !== undefined) return corruptRangeEnd(corrupt, corrupt.behind, 0)
    const found = await this.#fetchFrom(corrupt.nextOffset)
    if (found === 'nothing there' || found === 'fetch again') return found === 'fetch again' ? found : undefined
    return corruptRangeEnd(corrupt, found.behind, found.lastStableOffset)
  }

  /** What lies behind the corrupt batch: it may be in another segment, which no answer shares. */
  async #fetchFrom(
    offset: number,
  ): Promise<
    { readonly behind: BatchBehind | undefined; readonly lastStableOffset: number } | 'nothing there' | 'fetch again'
  > {
    const { kafka, topicId, log } = this.#deps
    const leader = kafka.routes.leader(this.#place)
    if (leader === undefined) return 'fetch again'
    const { nodeId, leaderEpoch } = leader
    // Brokers send at least one whole batch (KIP-74); more is not needed.
    const request = { ...this.#facts, topicId, offset, leaderEpoch, maxBytes: 1 }
    const options = { isolation: 'committed', maxBytes: 1, minBytes: 1, maxWaitMs: MAX_WAIT_MS } as const
    try {
      using answer = await kafka.fetcher.fetch(nodeId, [request], options)
      const [fetched] = answer.partitions
      if (fetched === undefined) return 'fetch again'
      if (fetched.trouble !== undefined)
        return fetched.trouble.kind === 'out of range' ? 'nothing there' : 'fetch again'
      return { behind: firstBatchOf(fetched.records), lastStableOffset: fetched.lastStableOffset }
    } catch (error) {
      if (error instanceof DecodeError) return 'nothing there'
      log.warn({ offset, reason: messageOf(error) }, 'could not look behind a corrupt batch, trying again')
      return 'fetch again'
    }
  }
}
