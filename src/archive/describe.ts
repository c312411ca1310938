import { strictDefinitions } from '../catalog/sound-definitions.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import type { ArchiveDeps } from './deps.ts'
import type { DescribeOptions } from './options.ts'
import { factsOfChain, sumOf } from './file-facts.ts'
import type { FileFacts, Sum } from './file-facts.ts'
import { topicIdOf } from './list.ts'
import { generationsByPartition } from './list-generations.ts'
import type { GenerationLine } from './list-generations.ts'
import type { Unreadable } from './newest-points.ts'
import { problemOf, surveyArchive } from './survey.ts'
import { besideGenerations, surveyGenerations } from './survey-generations.ts'

/** All that a backup holds of a topic. */
export interface DescribedTopic {
  readonly topic: string
  /** What the topic was in Kafka when that was last saved; undefined when it never was. */
  readonly definition: TopicDefinition | undefined
  readonly incarnations: readonly DescribedIncarnation[]
  /** What was made of its files and lies beside them. */
  readonly generations: readonly GenerationLine[]
  /** The object that the definition should have come from. */
  readonly unreadable: Unreadable | undefined
}

export interface DescribedIncarnation {
  readonly topicId: string | undefined
  readonly folder: string
  readonly chains: readonly DescribedChain[]
}

/** One partition, or one history of it after an unclean leader election. */
export interface DescribedChain extends Sum {
  readonly partition: number
  /** Leader epoch of that history; undefined for the first one. */
  readonly lineage: number | undefined
  readonly from: number
  /** Where the last file ends; undefined when that file does not say. */
  readonly to: number | undefined
  /** Only when one partition was asked for. */
  readonly list: readonly FileFacts[] | undefined
}

/** Throws BACKUP_NOT_FOUND when there is no such topic or partition. */
export async function describeTopic(
  deps: ArchiveDeps,
  { topic: asked }: DescribeOptions,
  signal: AbortSignal,
): Promise<DescribedTopic> {
  const [topic = '', number] = asked.split('/')
  const partition = number === undefined ? undefined : Number(number)
  const isIt = new RegExp(`^${RegExp.escape(topic)}$`)
  const selection = { topics: [isIt], excludeTopics: [], asked: topic }
  const originals = await surveyArchive(deps, selection, signal)
  const all = await surveyGenerations(deps, selection, () => undefined, signal)
  const survey = besideGenerations(originals, all)
  const incarnations = survey.topics.map(one => ({
    topicId: topicIdOf(one),
    folder: one.folder.name,
    chains: one.chains
      .filter(({ place }) => partition === undefined || place.partition === partition)
      .map(chain => describeChain(chain.place, factsOfChain(chain), partition !== undefined)),
  }))
  if (incarnations.every(({ chains }) => chains.length === 0)) {
    const known = new Set(survey.topics.flatMap(({ chains }) => chains.map(({ place }) => place.partition)))
    throw new MaxbrodError('BACKUP_NOT_FOUND', `${topic} has no partition ${number} in ${deps.store.url}`, {
      topic,
      partition,
      hint: `it has ${known.size} others`,
    })
  }
  const generations = generationsByPartition(
    all.filter(({ place }) => partition === undefined || place.partition === partition),
  )
  const { definition, unreadable } = await definitionOf(topic, deps, signal)
  const there = incarnations.filter(({ chains }) => chains.length > 0)
  return { topic, definition, incarnations: there, generations, unreadable }
}

async function definitionOf(
  topic: string,
  { store }: ArchiveDeps,
  signal: AbortSignal,
): Promise<Pick<DescribedTopic, 'definition' | 'unreadable'>> {
  try {
    const definitions = await strictDefinitions(store).newest(signal)
    return { definition: definitions?.topics.find(one => one.topic === topic), unreadable: undefined }
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined || !isMaxbrodError(error)) throw error
    return { definition: undefined, unreadable: { key: String(error.facts['key']), problem } }
  }
}

function describeChain(
  { partition, lineage }: { readonly partition: number; readonly lineage: number | undefined },
  files: readonly FileFacts[],
  isListed: boolean,
): DescribedChain {
  const first = files[0]
  const last = files.at(-1)
  return {
    partition,
    lineage,
    from: first?.from ?? 0,
    to: last?.to,
    ...sumOf(files),
    list: isListed ? files : undefined,
  }
}
