import type { Prunes } from '../catalog/prunes.ts'
import type { Gone } from './cover.ts'
import { topicIdOf } from './list.ts'
import type { NotedFiles } from './noted-files.ts'
import type { SurveyedTopic } from './survey.ts'
import type { SurveyedGeneration } from './survey-generations.ts'

/** Partitions of a topic that had files, and have neither one of them nor any that was made of them: what was in them, but for what was pruned. Pure. */
export function goneOf(
  topic: SurveyedTopic,
  noted: readonly NotedFiles[],
  generations: readonly Pick<SurveyedGeneration, 'place'>[],
  prunes: Prunes,
): Map<number, Gone> {
  const { topic: name, topicId } = topic.folder
  const id = topicIdOf(topic)
  const isThere = (partition: number) =>
    topic.chains.some(({ place }) => place.partition === partition) ||
    generations.some(({ place }) => place.topic === name && place.topicId === topicId && place.partition === partition)
  const gone = new Map<number, Gone>()
  for (const { partition, lineage, from, to, ...of } of noted) {
    if (of.topic !== name || of.topicId !== id || isThere(partition)) continue
    const begin = Math.max(from, prunes.beginOf({ topic: name, topicId, partition, lineage }))
    const before = gone.get(partition)
    if (begin < to)
      gone.set(partition, { from: Math.min(begin, before?.from ?? begin), to: Math.max(to, before?.to ?? to) })
  }
  return gone
}
