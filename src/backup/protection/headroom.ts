import type { Kafka } from '../../kafka/port.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isMaxbrodError, messageOf } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { backupMetrics } from '../metrics.ts'
import { firstTimestamp, headroomMs, retentionMs } from './retention.ts'

/** What is asked of a partition. */
export interface Endangered {
  readonly ownership: TopicPartition
  /** Below it, all is durable. */
  readonly committedTo: number
}

export interface HeadroomDeps {
  readonly kafka: Pick<Kafka, 'admin' | 'readRecords'>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
}

/** The least headroom among a topic's partitions. */
interface TopicHeadroom {
  readonly partition: number
  readonly ms: number
  readonly retention: number
}

/** As long as this share of the retention is left, one request for many partitions tells that it is. */
const EASY_SHARE = 1 / 2
/** From here on it is said aloud. */
const ALARM_SHARE = 1 / 4
/** Records read at the same time, each to learn its age. */
const READING = 4

/**
 * Watches how long retention still leaves what is not durable, and says so before there is a hole. A look costs two or three
 * requests for all partitions; single records are read only where more than half of the time has passed.
 */
export class HeadroomWatch {
  readonly #deps: HeadroomDeps
  readonly #metrics
  readonly #limit = newLimit(READING)
  #shown = new Set<string>()
  /** Topics whose configs this user may not see. */
  readonly #hidden = new Set<string>()
  readonly #alarmed = new Set<string>()

  constructor(deps: HeadroomDeps) {
    this.#deps = deps
    this.#metrics = deps.metrics.of(backupMetrics)
  }

  /** Never throws: what cannot be told now is told next time. */
  async look(partitions: Iterable<Endangered>, signal: AbortSignal): Promise<void> {
    try {
      this.#tell(await this.#find([...partitions], signal))
    } catch (error) {
      if (!signal.aborted) this.#deps.log.warn({ reason: messageOf(error) }, 'could not see how long retention leaves')
    }
  }

  async #find(partitions: readonly Endangered[], signal: AbortSignal): Promise<Map<string, TopicHeadroom>> {
    const { kafka, clock } = this.#deps
    const least = new Map<string, TopicHeadroom>()
    if (partitions.length === 0) return least
    const places = partitions.map(({ ownership: { topic, partition } }) => ({ topic, partition }))
    const { offsets: ends } = await kafka.admin.offsets('last stable', places)
    const behindAll = places.flatMap((where, index) => {
      const from = partitions[index]?.committedTo ?? 0
      const end = ends.get(where)
      return end !== undefined && end > from ? [{ where, from, end }] : []
    })
    const retentions = await this.#retentions([...new Set(behindAll.map(({ where }) => where.topic))])
    const byRetention = new Map<number, typeof behindAll>()
    for (const one of behindAll) {
      const retention = retentions.get(one.where.topic)
      if (retention !== undefined) byRetention.set(retention, [...(byRetention.get(retention) ?? []), one])
    }
    for (const [retention, behind] of byRetention) {
      const easyMs = Math.floor(retention * EASY_SHARE)
      const nowMs = clock.now()
      const young = await this.#since(nowMs + easyMs - retention, behind)
      const looking = behind.map(({ where, from, end }) =>
        this.#limit(async () => {
          const first = young.get(where)
          let ms = easyMs
          if (first === undefined || first < 0 || first > from) {
            const timestamp = await firstTimestamp(kafka, where, from, end, signal)
            if (timestamp !== undefined) ms = Math.min(easyMs, headroomMs(timestamp, retention, nowMs))
          }
          if (ms < (least.get(where.topic)?.ms ?? Infinity))
            least.set(where.topic, { partition: where.partition, ms, retention })
        }),
      )
      for (const look of await Promise.allSettled(looking)) if (look.status === 'rejected') throw look.reason
    }
    return least
  }

  /** Of the topics whose configs this user may see. */
  async #retentions(topics: readonly string[]): Promise<Map<string, number | undefined>> {
    const { kafka, log } = this.#deps
    const visible = topics.filter(topic => !this.#hidden.has(topic))
    if (visible.length === 0) return new Map()
    try {
      const configs = await kafka.admin.topicConfigs(visible)
      return new Map([...configs].map(([topic, entries]) => [topic, retentionMs(entries)]))
    } catch (error) {
      if (!isMaxbrodError(error, 'KAFKA_AUTH')) throw error
      const [only] = visible
      if (visible.length > 1 || only === undefined) {
        const each = await Promise.all(visible.map(topic => this.#limit(() => this.#retentions([topic]))))
        return new Map(each.flatMap(one => [...one]))
      }
      this.#hidden.add(only)
      log.warn({ topic: only, reason: messageOf(error) }, 'cannot see how long retention leaves the records of a topic')
      return new Map()
    }
  }

  /** The first offset of each partition that is so young; −1 when there is none. */
  async #since(timeMs: number, behind: readonly { where: TopicPartition }[]): Promise<PartitionMap<number>> {
    const places = behind.map(({ where }) => where)
    return timeMs < 0
      ? new PartitionMap(places.map(where => [where, 0] as const))
      : (await this.#deps.kafka.admin.offsetsSince(timeMs, places)).offsets
  }

  #tell(least: ReadonlyMap<string, TopicHeadroom>): void {
    const { log } = this.#deps
    for (const topic of this.#shown) if (!least.has(topic)) this.#metrics.retentionHeadroomSeconds.remove({ topic })
    this.#shown = new Set(least.keys())
    for (const topic of this.#alarmed) {
      const found = least.get(topic)
      if (found === undefined || found.ms >= found.retention * ALARM_SHARE) this.#alarmed.delete(topic)
    }
    for (const [topic, { partition, ms, retention }] of least) {
      this.#metrics.retentionHeadroomSeconds.set(ms / 1_000, { topic })
      if (ms >= retention * ALARM_SHARE || this.#alarmed.has(topic)) continue
      this.#alarmed.add(topic)
      log.warn(
        { topic, partition, headroomSeconds: Math.round(ms / 1_000), retentionSeconds: Math.round(retention / 1_000) },
        'retention is about to delete records that are not in the backup yet',
      )
    }
  }
}
