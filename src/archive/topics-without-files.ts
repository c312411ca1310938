import { readFirstIncarnation } from '../catalog/incarnation.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { firstIncarnationKey, firstIncarnationPrefix } from '../format/system-keys.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Unreadable } from './newest-points.ts'
import { problemOf } from './survey.ts'

/** A topic that Kafka has records of, and the archive no file. */
export interface FilelessTopic {
  readonly topic: string
  readonly topicId: string | undefined
  /** It is one of the backup, and files of it should be there. */
  readonly isOurs: boolean
}

/**
 * Which of the topics without a file are those of the backup: a worker names the first incarnation of each before it writes a
 * file, and at `due` it had done so. Others may not be meant to be backed up.
 */
export async function judgeFileless(
  store: ObjectStore,
  fileless: readonly PointPartition[],
  due: RestorationPoint | undefined,
  dueMs: number,
  onUnreadable: (found: Unreadable) => void,
  signal: AbortSignal,
): Promise<readonly FilelessTopic[]> {
  const isDue = new Set((due?.partitions ?? []).filter(one => one.end > one.log_start).map(idOf))
  const topics = new Map(fileless.map(one => [idOf(one), one]))
  const claims = [...topics.keys()].some(id => isDue.has(id))
    ? await claimsBefore(store, dueMs, signal)
    : new Set<string>()
  const judged: FilelessTopic[] = []
  for (const [id, { topic, topic_id: topicId }] of topics) {
    const key = firstIncarnationKey(topic)
    let isOurs = false
    try {
      if (isDue.has(id) && claims.has(key)) isOurs = (await readFirstIncarnation(store, topic, signal)) === topicId
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      onUnreadable({ key, problem })
    }
    judged.push({ topic, topicId: topicId ?? undefined, isOurs })
  }
  return judged
}

async function claimsBefore(store: ObjectStore, dueMs: number, signal: AbortSignal): Promise<Set<string>> {
  const keys = new Set<string>()
  for await (const { key, modifiedAtMs } of store.list(firstIncarnationPrefix, { signal }))
    if (modifiedAtMs <= dueMs) keys.add(key)
  return keys
}

export function idOf({ topic, topic_id: topicId }: Pick<PointPartition, 'topic' | 'topic_id'>): string {
  return `${topic} ${topicId ?? ''}`
}
