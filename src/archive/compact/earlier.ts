import type { GenerationFile } from '../../format/generation.ts'
import type { SurveyedGeneration } from '../survey-generations.ts'
import type { Source } from './source.ts'

/** What files of generations were made of, as their seals say: none of it is a source any more. Pure. */
export function earlierOf(files: readonly Source[], generations: readonly SurveyedGeneration[]): GenerationFile[] {
  const names = new Set(files.flatMap(({ place: { generation } }) => generation ?? []))
  const [first, last] = [files[0], files.at(-1)]
  if (first === undefined || last === undefined) return []
  const { topic, topicId, partition, lineage } = first.place
  return generations
    .filter(({ place }) => names.has(place.generation) && place.topic === topic && place.topicId === topicId)
    .filter(({ place }) => place.partition === partition && place.lineage === lineage)
    .flatMap(({ seal }) => [...(seal?.sources ?? []), ...(seal?.earlier ?? [])])
    .filter(({ from, to }) => from >= first.from && to <= last.to)
}
