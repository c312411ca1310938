import { listSnapshots } from '../catalog/snapshots.ts'
import { readPoint } from '../catalog/restoration-points.ts'
import type { Unreadable } from './newest-points.ts'
import { pointsPrefix } from '../format/system-keys.ts'
import type { ArchiveDeps } from './deps.ts'
import { factsOfChain, sumOf } from './file-facts.ts'
import type { Sum } from './file-facts.ts'
import { problemOf } from './survey.ts'
import type { Survey, SurveyedTopic } from './survey.ts'

/** What a backup holds of one incarnation of a topic. */
export interface ListedTopic extends Sum {
  readonly topic: string
  /** Undefined when no file says it. */
  readonly topicId: string | undefined
  /** As it stands in the keys. */
  readonly folder: string
  readonly partitions: number
}

export function listTopics({ topics }: Survey): ListedTopic[] {
  return topics.map(topic => ({
    topic: topic.folder.topic,
    topicId: topicIdOf(topic),
    folder: topic.folder.name,
    partitions: new Set(topic.chains.map(({ place }) => place.partition)).size,
    ...sumOf(topic.chains.flatMap(factsOfChain)),
  }))
}

export function topicIdOf({ folder, chains }: SurveyedTopic): string | undefined {
  if (folder.topicId !== undefined) return folder.topicId
  for (const { header } of chains.flatMap(({ files }) => files))
    if (header?.kind === 'maxbrod' && header.tile.topicId !== undefined) return header.tile.topicId
  return undefined
}

/** A restoration point, for people. */
export interface ListedPoint {
  readonly key: string
  readonly atMs: number
  readonly topics: number
  readonly partitions: number
  /** The group snapshot that belongs to it. */
  readonly groups: string | undefined
}

export interface ListedPoints {
  /** How many there are. */
  readonly total: number
  /** The newest of them, newest first. */
  readonly points: readonly ListedPoint[]
  /** Those among them that cannot be read. */
  readonly unreadable: readonly Unreadable[]
}

export async function listPoints({ store }: ArchiveDeps, limit: number, signal: AbortSignal): Promise<ListedPoints> {
  const keys = await listSnapshots(store, pointsPrefix, 0, signal)
  const points: ListedPoint[] = []
  const unreadable: Unreadable[] = []
  for (const found of keys.toReversed().slice(0, limit)) {
    try {
      const { key, atMs, groupsKey, partitions } = await readPoint(store, found, signal)
      const topics = new Set(partitions.map(({ topic }) => topic)).size
      points.push({ key, atMs, topics, partitions: partitions.length, groups: groupsKey })
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      unreadable.push({ key: found.key, problem })
    }
  }
  return { total: keys.length, points, unreadable }
}
