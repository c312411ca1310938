import { listGenerations, readSeal } from '../catalog/generations.ts'
import type { ListedGeneration } from '../catalog/generations.ts'
import { sourcesHash } from '../format/generation.ts'
import type { GenerationFile, GenerationSeal } from '../format/generation.ts'
import type { GenerationKind, PartitionPlace } from '../format/keys.ts'
import type { TileGeneration } from '../format/tile-header.ts'
import { newLimit } from '../runtime/limit.ts'
import type { ArchiveDeps } from './deps.ts'
import { isSelected, problemOf, surveyFile } from './survey.ts'
import type { Survey, SurveyedFile, TopicSelection } from './survey.ts'
import { withStandIns } from './stand-ins.ts'

/** A partition's files that were made of others, as listing, seal and headers show them. */
export interface SurveyedGeneration extends Pick<ListedGeneration, 'place' | 'kind' | 'atMs'> {
  /** Undefined for files that nobody finished, and for a seal that cannot be read. */
  readonly seal: GenerationSeal | undefined
  /** The object that the seal is, if there is one. */
  readonly sealed: ListedGeneration['seal']
  readonly files: readonly SurveyedFile[]
  /** Why it cannot be what it must be: key and reason of each. */
  readonly problems: readonly { readonly key: string; readonly problem: string }[]
}

const HEADERS = 32

/** The generations of the selected topics, with the header of every file. What is wrong does not end it. */
export async function surveyGenerations(
  { store }: Pick<ArchiveDeps, 'store'>,
  selection: TopicSelection,
  onForeign: (key: string) => void,
  signal: AbortSignal,
): Promise<SurveyedGeneration[]> {
  const headers = newLimit(HEADERS)
  const surveyed: SurveyedGeneration[] = []
  for (const listed of await listGenerations(store, { onForeign, signal })) {
    if (!isSelected(listed.place.topic, selection)) continue
    const files = await Promise.all(listed.files.map(tile => headers(() => surveyFile({ store }, tile, signal))))
    const problems = files.flatMap(({ key, problem }) => (problem === undefined ? [] : [{ key, problem }]))
    const seal = await readSeal(store, listed, signal).catch((error: unknown) => {
      const problem = problemOf(error)
      if (problem === undefined || listed.seal === undefined) throw error
      problems.push({ key: listed.seal.key, problem })
      return undefined
    })
    const { place, kind, atMs } = listed
    if (seal !== undefined) problems.push(...contradictions(seal, files, kind))
    surveyed.push({ place, kind, atMs, seal, sealed: listed.seal, files, problems })
  }
  return surveyed
}

/** Files whose headers say something else than their seal. */
function contradictions(
  { files: told, covers, sources }: GenerationSeal,
  files: readonly SurveyedFile[],
  kind: GenerationKind,
): { key: string; problem: string }[] {
  const byKey = new Map<string, GenerationFile>(told.map(file => [file.key, file]))
  const hash = sourcesHash(sources)
  return files.flatMap(({ key, header }) => {
    const said = byKey.get(key)
    if (said === undefined) return [{ key, problem: 'is not named by the seal of its generation' }]
    if (header?.kind !== 'maxbrod') return []
    const { coversTo, content, generation } = header.tile
    // The header of what is rewrapped is that of its source, and says nothing of the others.
    const isWhole = kind === 'rewrapped'
    const isSame =
      coversTo === said.to &&
      content.records === said.records &&
      (isWhole || isOf(generation, covers, sources.length, hash))
    return isSame ? [] : [{ key, problem: 'its header says something else than the seal of its generation' }]
  })
}

function isOf(
  said: TileGeneration | undefined,
  covers: GenerationSeal['covers'],
  sources: number,
  hash: string,
): boolean {
  return said?.from === covers.from && said.to === covers.to && said.sources === sources && said.sourcesSha256 === hash
}

/** What can be used of a kind, of one partition and history. */
export function soundOf(
  generations: readonly SurveyedGeneration[],
  place: PartitionPlace,
  isWanted: (generation: SurveyedGeneration) => boolean,
): SurveyedGeneration[] {
  return generations.filter(
    one =>
      one.seal !== undefined &&
      one.problems.length === 0 &&
      one.place.topic === place.topic &&
      one.place.topicId === place.topicId &&
      one.place.partition === place.partition &&
      one.place.lineage === place.lineage &&
      isWanted(one),
  )
}

/** The same survey, which knows what generations cover, and has their files in the place of those that are gone. */
export function besideGenerations(survey: Survey, generations: readonly SurveyedGeneration[]): Survey {
  if (generations.length === 0) return survey
  const topics = survey.topics.map(topic => ({
    ...topic,
    chains: topic.chains.map(chain => ({
      ...withStandIns(
        chain,
        soundOf(generations, chain.place, ({ kind }) => kind !== 'compacted'),
      ),
      beside: soundOf(generations, chain.place, () => true)
        .map(({ place, kind, seal }) => ({
          from: seal?.covers.from ?? 0,
          to: seal?.covers.to ?? 0,
          generation: place.generation,
          isWhole: kind !== 'compacted',
        }))
        // Where several have the same offsets, what is whole counts.
        .toSorted((a, b) => Number(b.isWhole) - Number(a.isWhole) || a.from - b.from),
    })),
  }))
  return { ...survey, topics }
}

/** Files that hold the very records of originals, in the order of their offsets. */
export function standInsOf(generations: readonly SurveyedGeneration[], place: PartitionPlace): SurveyedFile[] {
  return soundOf(generations, place, ({ kind }) => kind !== 'compacted')
    .flatMap(({ files }) => files)
    .toSorted((a, b) => a.place.from - b.place.from)
}
