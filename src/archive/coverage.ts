import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { cover } from './cover.ts'
import type { Cover, Gone, Status } from './cover.ts'
import type { CoverageOptions } from './coverage-options.ts'
import type { ArchiveDeps } from './deps.ts'
import { endsOf, hasRecords, knownOf } from './ends.ts'
import { factsOfChain, sumOf } from './file-facts.ts'
import type { Sum } from './file-facts.ts'
import { isPointLate } from './late-point.ts'
import { topicIdOf } from './list.ts'
import { unprotectedOf } from './live.ts'
import type { AskKafka, AskedTopic, LivePartition, Unprotected } from './live.ts'
import { goneOf } from './gone-partitions.ts'
import { newestPoint } from './newest-points.ts'
import type { Unreadable } from './newest-points.ts'
import { readNotedFiles } from './noted-files.ts'
import { isSelected, surveyArchive } from './survey.ts'
import type { SurveyedChain, SurveyedTopic } from './survey.ts'
import { besideGenerations, surveyGenerations } from './survey-generations.ts'
import { idOf, judgeFileless } from './topics-without-files.ts'

export interface CoveredPartition extends Cover {
  readonly topic: string
  readonly folder: string
  readonly partition: number
  readonly held: Held
  /** What Kafka says of it, if it was asked and has the topic. */
  readonly kafka?: Unprotected
}

/** What the files of a partition hold, all of its histories together. */
export interface Held extends Pick<Sum, 'files' | 'bytes' | 'records' | 'timestampMin' | 'timestampMax'> {
  /** When the newest of them was stored. */
  readonly storedAtMs: number | undefined
}

export interface Coverage {
  readonly status: Status
  readonly partitions: readonly CoveredPartition[]
  /** When the newest restoration point was made, in ms: without one nobody knows how far Kafka went. */
  readonly pointAtMs: number | undefined
  /** It is older than points should be, and nothing says that Kafka has not changed since. */
  readonly isPointLate: boolean
  /** Topics that had records at that point and have no file here, and of which nothing says that they are backed up. */
  readonly withoutFiles: readonly string[]
  /** Points and other objects that should have told something. */
  readonly unreadable: readonly Unreadable[]
}

/** What of the history of each partition the backup has, and what of it is missing and why; with Kafka, as it is now. Throws BACKUP_NOT_FOUND. */
export async function coverArchive(
  deps: ArchiveDeps,
  options: CoverageOptions,
  signal: AbortSignal,
  askKafka?: AskKafka,
): Promise<Coverage> {
  const { store, clock } = deps
  const now = clock.now()
  const dueMs = now - options.lateAfter
  const problems = new Map<string, Unreadable>()
  const onUnreadable = (found: Unreadable) => void problems.set(found.key, found)
  // Before the files are listed: what was stored since is no news of them.
  const noted = await readNotedFiles(store, now, onUnreadable, signal)
  const generations = await surveyGenerations(deps, options, () => undefined, signal)
  const survey = besideGenerations(await surveyArchive(deps, options, signal), generations)
  for (const { message, facts } of survey.prunes.damaged) onUnreadable({ key: String(facts['key']), problem: message })
  const newest = await newestPoint(store, now, onUnreadable, signal)
  const due = await newestPoint(store, dueMs, onUnreadable, signal)
  const points = { newest, due }
  const withFiles = new Set(
    survey.topics.map(topic => idOf({ topic: topic.folder.topic, topic_id: topicIdOf(topic) ?? null })),
  )
  const fileless = [...(newest?.partitions ?? []), ...(due?.partitions ?? [])]
    .filter(one => one.end > one.log_start && isSelected(one.topic, options))
    .filter(one => !withFiles.has(idOf(one)))
  const judged = await judgeFileless(store, fileless, due, dueMs, onUnreadable, signal)
  const asked = new Map(survey.topics.map(topic => [topic, askedOf(topic)] as const))
  const told = await askKafka?.([...asked.values()], signal)
  const partitions = [
    ...survey.topics.flatMap(topic => {
      const { topic: name, name: folder } = topic.folder
      const question = asked.get(topic)
      const live = question === undefined ? undefined : told?.get(question)
      return coverTopic(
        {
          topic: name,
          folder,
          topicId: topicIdOf(topic),
          isGone: false,
          live,
          files: question?.ends,
          gone: goneOf(topic, noted, generations, survey.prunes),
        },
        topic.chains,
        points,
      )
    }),
    ...judged
      .filter(({ isOurs }) => isOurs)
      .flatMap(one => coverTopic({ ...one, folder: one.topic, isGone: true }, [], points)),
  ]
  const there = new Set((newest?.partitions ?? []).filter(one => one.end > one.log_start).map(({ topic }) => topic))
  const unreadable = [...problems.values()]
  const isLate = isPointLate(newest, { nowMs: now, lateAfterMs: options.pointLateAfter }, [...asked.values()], told)
  const doubts: Status[] = unreadable.length > 0 || isLate ? ['WARNING'] : []
  return {
    status: worst([...partitions.map(({ status }) => status), ...doubts]),
    partitions,
    pointAtMs: newest?.atMs,
    isPointLate: isLate,
    withoutFiles: [
      ...new Set(judged.filter(({ isOurs, topic }) => !isOurs && there.has(topic)).map(({ topic }) => topic)),
    ],
    unreadable,
  }
}

interface TopicToCover {
  readonly topic: string
  readonly folder: string
  readonly topicId: string | undefined
  /** It had files, and has none. */
  readonly isGone: boolean
  readonly live?: ReadonlyMap<number, LivePartition> | undefined
  /** Where the files of each partition end, as far as they tell. */
  readonly files?: ReadonlyMap<number, number> | undefined
  /** Of partitions without a file, what was in files. */
  readonly gone?: ReadonlyMap<number, Gone> | undefined
}

/** Up to where the files of each partition go; those that do not tell are left out. */
function askedOf(topic: SurveyedTopic): AskedTopic {
  const ends = topic.chains.flatMap(chain => {
    const end = factsOfChain(chain).at(-1)?.to
    return end === undefined ? [] : [[chain.place.partition, end] as const]
  })
  return { topic: topic.folder.topic, topicId: topicIdOf(topic), ends: new Map(ends) }
}

function coverTopic(
  { topic, folder, topicId, isGone, live, files, gone }: TopicToCover,
  chains: readonly SurveyedChain[],
  { newest, due }: { readonly newest: RestorationPoint | undefined; readonly due: RestorationPoint | undefined },
): CoveredPartition[] {
  const known = knownOf(topic, topicId, newest, due)
  const byPartition = Map.groupBy(chains, ({ place }) => place.partition)
  const told = [...known].filter(([, one]) => hasRecords(one)).map(([partition]) => partition)
  const there = [...(live ?? [])].filter(([, one]) => one.end > one.logStart).map(([partition]) => partition)
  return [...new Set([...byPartition.keys(), ...told, ...there, ...(gone?.keys() ?? [])])]
    .toSorted((a, b) => a - b)
    .map(partition => {
      const one = known.get(partition)
      const ends = one === undefined ? undefined : endsOf(one, isGone)
      const now = live?.get(partition)
      const chainsHere = byPartition.get(partition) ?? []
      const covered = {
        topic,
        folder,
        partition,
        ...cover(chainsHere, ends, now, gone?.get(partition)),
        held: heldIn(chainsHere),
      }
      const filesEnd = chainsHere.length === 0 ? 0 : files?.get(partition)
      return now === undefined || filesEnd === undefined ? covered : { ...covered, kafka: unprotectedOf(now, filesEnd) }
    })
}

function heldIn(chains: readonly SurveyedChain[]): Held {
  const { files, bytes, records, timestampMin, timestampMax, newest } = sumOf(chains.flatMap(factsOfChain))
  return { files, bytes, records, timestampMin, timestampMax, storedAtMs: newest?.storedAtMs }
}

export function worst(all: readonly Status[]): Status {
  if (all.includes('FAILURE')) return 'FAILURE'
  return all.includes('WARNING') ? 'WARNING' : 'OK'
}
