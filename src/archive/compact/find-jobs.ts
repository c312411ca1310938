import { generationName } from '../../format/keys.ts'
import { must } from '../../runtime/assert.ts'
import type { SurveyedTopic } from '../survey.ts'
import { soundOf, standInsOf } from '../survey-generations.ts'
import type { SurveyedGeneration } from '../survey-generations.ts'
import { mergesOf, sourceOf, sourcesOf } from './choose-sources.ts'
import type { LeftOut } from './choose-sources.ts'
import { earlierOf } from './earlier.ts'
import type { MakingJob } from './make-generation.ts'
import type { CompactOptions } from './options.ts'
import type { Source } from './source.ts'

/** Neighbours of a partition that become one generation. */
export interface Job extends Pick<MakingJob, 'place' | 'sources' | 'earlier'> {
  /** Folder of the topic. */
  readonly folder: string
}

export interface LeftOutPartition extends LeftOut {
  readonly folder: string
  readonly partition: number
}

export interface FoundJobs {
  readonly jobs: readonly Job[]
  readonly leftOut: readonly LeftOutPartition[]
  /** Partitions of which all is there that can be made. */
  readonly upToDate: number
}

/** What the keys of a run mean for what it makes. */
export interface Sealing {
  /** What is written is encrypted. */
  readonly isSealing: boolean
  /** True for a generation that is for other recipients than those of this run. */
  readonly isForOthers: (generation: string) => boolean
}

export const notSealing: Sealing = { isSealing: false, isForOthers: () => false }

/** What is to be made, of what: one generation of a partition, or one for each row of small neighbours. Pure. */
export function findJobs(
  topics: readonly SurveyedTopic[],
  generations: readonly SurveyedGeneration[],
  { merge, smallBelow }: Pick<CompactOptions, 'merge' | 'smallBelow'>,
  nowMs: number,
  { isSealing, isForOthers }: Sealing = notSealing,
): FoundJobs {
  const kind = merge ? 'merged' : 'compacted'
  // Later than all others, whatever the clock says: names are used once.
  const firstMs = generations.reduce((ms, one) => (one.kind === kind ? Math.max(ms, one.atMs + 1) : ms), nowMs)
  const jobs: Job[] = []
  const leftOut: LeftOutPartition[] = []
  let upToDate = 0
  for (const { folder, chains } of topics) {
    for (const [partition, histories] of Map.groupBy(chains, ({ place }) => place.partition)) {
      const { place, files: originals } = must(histories[0], 'a chain')
      const base = merge ? [] : newestOf(soundOf(generations, place, one => one.kind === kind))
      const standIns = standInsOf(generations, place)
      const sources = sourcesOf({ place, histories: histories.length, originals, standIns }, base, isSealing)
      if ('reason' in sources) {
        leftOut.push({ folder: folder.name, partition, ...sources })
        continue
      }
      const merged = standIns.flatMap(sourceOf)
      // What is only rewrapped is as small as it was.
      const isMerged = ({ from, to }: Source) =>
        merged.some(one => one.from <= from && one.to >= to && one.to - one.from > to - from)
      const isOld = base.some(({ place: { generation } }) => generation !== undefined && isForOthers(generation))
      const whole = sources.length > base.length || isOld ? [sources] : []
      const lists = merge ? mergesOf(sources, isMerged, smallBelow) : whole
      if (lists.length === 0) upToDate++
      for (const [n, list] of lists.entries())
        jobs.push({
          folder: folder.name,
          place: { ...place, generation: generationName(kind, firstMs + n) },
          sources: list,
          earlier: earlierOf(list, generations),
        })
    }
  }
  return { jobs, leftOut, upToDate }
}

/** The files of the generation that reaches furthest. */
function newestOf(generations: readonly SurveyedGeneration[]): readonly Source[] {
  const [newest] = generations.toSorted((a, b) => endOf(b) - endOf(a) || b.atMs - a.atMs)
  return newest?.files.flatMap(sourceOf) ?? []
}

function endOf({ seal }: SurveyedGeneration): number {
  return seal?.covers.to ?? 0
}
