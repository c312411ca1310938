import { factsOfChain } from './file-facts.ts'
import type { SurveyedChain, SurveyedTopic } from './survey.ts'

/** What of the partitions a drill takes: lines `topic:partition:offset`, as --from-offsets and --to-offsets take them. */
export interface Stretches {
  readonly from: string
  readonly to: string
}

/**
 * Of each partition a stretch of so much of its offsets, at a place by chance, so that many drills see all of it. Topics of
 * several incarnations are taken whole: offsets do not say which one they are of. Pure.
 */
export function stretchesOf(
  topics: readonly SurveyedTopic[],
  share: number,
  chance: () => number,
): Stretches | undefined {
  const lines = [...Map.groupBy(topics, ({ folder }) => folder.topic)].flatMap(([topic, incarnations]) => {
    const [only] = incarnations
    if (only === undefined || incarnations.length > 1) return []
    const partitions = Map.groupBy(only.chains, ({ place }) => place.partition)
    return [...partitions].flatMap(([partition, chains]) => {
      const { from, to } = rangeOf(chains)
      if (to <= from) return [] // what does not tell where it ends is taken whole
      const length = Math.ceil((to - from) * share)
      const begin = from + Math.floor(chance() * (to - from - length + 1))
      return [{ from: `${topic}:${partition}:${begin}\n`, to: `${topic}:${partition}:${begin + length}\n` }]
    })
  })
  if (lines.length === 0) return undefined
  return { from: lines.map(({ from }) => from).join(''), to: lines.map(({ to }) => to).join('') }
}

/** The offsets that a partition has files of; the end of a file that does not tell it is left out. */
function rangeOf(chains: readonly SurveyedChain[]): { readonly from: number; readonly to: number } {
  const files = chains.flatMap(factsOfChain)
  return {
    from: files.reduce((least, { from }) => Math.min(least, from), Infinity),
    to: files.reduce((most, { from, to }) => Math.max(most, to ?? from), 0),
  }
}
