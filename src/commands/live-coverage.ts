import type { AskKafka, AskedTopic, LivePartition } from '../archive/live.ts'
import { decodeCommitNote } from '../format/commit-note.ts'
import { firstTimestamp, headroomMs, retentionMs } from '../backup/protection/retention.ts'
import type { ConfigEntry } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

export interface LiveDeps {
  readonly kafka: Kafka
  readonly clock: Clock
  readonly log: Logger
}

/** Records read at the same time, one of each partition that is behind. */
const READING = 16

/** What Kafka has of the topics of a backup now, and whether the workers of a group are at work on it. */
export function askingKafka(
  deps: LiveDeps,
  { groupId, lateAfter }: { readonly groupId: string; readonly lateAfter: number },
): AskKafka {
  const { kafka, clock } = deps
  return async (asked, signal) => {
    const described = new Map(
      (await kafka.admin.topics([...new Set(asked.map(({ topic }) => topic))])).map(topic => [topic.name, topic]),
    )
    const topics = asked.flatMap(one => {
      const found = described.get(one.topic)
      const isIt = found?.error === undefined && (one.topicId === undefined || found?.topicId === one.topicId)
      return found !== undefined && isIt ? [{ one, partitions: found.partitions }] : []
    })
    const places = topics.flatMap(({ one, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: one.topic, partition })),
    )
    const nowMs = clock.now()
    const [starts, ends, young, committed, groups, configs] = await Promise.all([
      kafka.admin.offsets('log start', places),
      kafka.admin.offsets('last stable', places),
      kafka.admin.offsetsSince(Math.max(0, nowMs - lateAfter), places),
      kafka.admin.committed(groupId, places),
      kafka.admin.groups(),
      configsOf(deps, [...new Set(topics.map(({ one }) => one.topic))]),
    ])
    const state = groups.find(({ group }) => group === groupId)
    const isAtWork = state !== undefined && !['Empty', 'Dead'].includes(state.state ?? '')
    const limit = newLimit(READING)
    const look = async ({ ends: files }: AskedTopic, where: TopicPartition): Promise<[number, LivePartition][]> => {
      const [logStart, end] = [starts.offsets.get(where), ends.offsets.get(where)]
      if (logStart === undefined || end === undefined) return []
      const from = Math.max(logStart, files.get(where.partition) ?? 0)
      const first = from < end ? await limit(() => firstTimestamp(kafka, where, from, end, signal)) : undefined
      const retention = retentionMs(configs.get(where.topic) ?? [])
      const since = young.offsets.get(where) ?? -1
      const code = decodeCommitNote(committed.get(where)?.metadata ?? '')?.stopped
      const live: LivePartition = {
        logStart,
        end,
        dueTo: since < 0 ? end : since,
        seconds: first === undefined ? undefined : secondsOf(Math.max(0, nowMs - first)),
        headroomSeconds:
          first === undefined || retention === undefined ? undefined : secondsOf(headroomMs(first, retention, nowMs)),
        stopped: stoppedBecause(groupId, isAtWork, code),
      }
      return [[where.partition, live]]
    }
    const told = topics.map(async ({ one, partitions }) => {
      const looks = Array.from({ length: partitions }, (_, partition) => look(one, { topic: one.topic, partition }))
      return [one, new Map((await Promise.all(looks)).flat())] as const
    })
    return new Map(await Promise.all(told))
  }
}

function stoppedBecause(groupId: string, isAtWork: boolean, code: string | undefined): string | undefined {
  if (!isAtWork) return `not in the backup yet, and no worker of group ${groupId} is at work`
  return code === undefined ? undefined : `not in the backup yet, and their worker cannot go on (${code})`
}

/** Without the right to see configs nobody knows how long records stay; all else can be told. */
async function configsOf(
  { kafka, log }: LiveDeps,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly ConfigEntry[]>> {
  if (topics.length === 0) return new Map()
  try {
    return await kafka.admin.topicConfigs(topics)
  } catch (error) {
    if (!isMaxbrodError(error, 'KAFKA_AUTH')) throw error
    log.warn({ reason: messageOf(error) }, 'cannot see how long retention leaves the records of topics')
    return new Map()
  }
}

function secondsOf(ms: number): number {
  return Math.round(ms / 1_000)
}
