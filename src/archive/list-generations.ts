import type { GenerationKind } from '../format/keys.ts'
import type { SurveyedGeneration } from './survey-generations.ts'

/** Files beside the originals that one run made of them: a line for people. */
export interface GenerationLine {
  /** `compacted/<utc>` */
  readonly generation: string
  readonly kind: GenerationKind
  readonly topic: string
  /** Undefined for a line of several. */
  readonly partition: number | undefined
  readonly partitions: number
  readonly files: number
  readonly records: number
  readonly bytes: number
  /** Of so many partitions nobody finished it: their files count for nothing. */
  readonly unfinished: number
}

/** A line for each generation and topic. Pure. */
export function generationsByTopic(generations: readonly SurveyedGeneration[]): GenerationLine[] {
  const groups = Map.groupBy(generations, ({ place }) => `${place.generation} ${place.topic}@${place.topicId}`)
  return [...groups.values()].flatMap(group => lineOf(group, undefined))
}

/** A line for each generation and partition. Pure. */
export function generationsByPartition(generations: readonly SurveyedGeneration[]): GenerationLine[] {
  return generations.flatMap(one => lineOf([one], one.place.partition))
}

function lineOf(group: readonly SurveyedGeneration[], partition: number | undefined): GenerationLine[] {
  const [first] = group
  if (first === undefined) return []
  const files = group.flatMap(one => one.files)
  return [
    {
      generation: first.place.generation,
      kind: first.kind,
      topic: first.place.topic,
      partition,
      partitions: group.length,
      files: files.length,
      records: files.reduce(
        (sum, { header }) => sum + (header?.kind === 'maxbrod' ? header.tile.content.records : 0),
        0,
      ),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      unfinished: group.filter(({ seal }) => seal === undefined).length,
    },
  ]
}
