import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { cover } from './cover.ts'
import type { Cover, Status } from './cover.ts'
import type { CoverageOptions } from './coverage-options.ts'
import type { ArchiveDeps } from './deps.ts'
import { endsOf, hasRecords, knownOf } from './ends.ts'
import { topicIdOf } from './list.ts'
import { newestPoint } from './newest-points.ts'
import type { Unreadable } from './newest-points.ts'
import { isSelected, surveyArchive } from './survey.ts'
import type { SurveyedChain } from './survey.ts'
import { idOf, judgeFileless } from './topics-without-files.ts'

export interface CoveredPartition extends Cover {
  readonly topic: string
  readonly folder: string
  readonly partition: number
}

export interface Coverage {
  readonly status: Status
  readonly partitions: readonly CoveredPartition[]
  /** When the newest restoration point was made, in ms: without one nobody knows how far Kafka went. */
  readonly pointAtMs: number | undefined
  /** Topics that had records at that point and have no file here, and of which nothing says that they are backed up. */
  readonly withoutFiles: readonly string[]
  /** Points and other objects that should have told something. */
  readonly unreadable: readonly Unreadable[]
}

/** What of the history of each partition the backup has, and what of it is missing and why. Throws BACKUP_NOT_FOUND. */
export async function coverArchive(
  deps: ArchiveDeps,
  options: CoverageOptions,
  signal: AbortSignal,
): Promise<Coverage> {
  const { store, clock } = deps
  const now = clock.now()
  const dueMs = now - options.lateAfter
  const problems = new Map<string, Unreadable>()
  const onUnreadable = (found: Unreadable) => void problems.set(found.key, found)
  const survey = await surveyArchive(deps, options, signal)
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
  const partitions = [
    ...survey.topics.flatMap(topic => {
      const { topic: name, name: folder } = topic.folder
      return coverTopic({ topic: name, folder, topicId: topicIdOf(topic), isGone: false }, topic.chains, points)
    }),
    ...judged
      .filter(({ isOurs }) => isOurs)
      .flatMap(one => coverTopic({ ...one, folder: one.topic, isGone: true }, [], points)),
  ]
  const there = new Set((newest?.partitions ?? []).filter(one => one.end > one.log_start).map(({ topic }) => topic))
  const unreadable = [...problems.values()]
  const statuses = partitions.map(({ status }) => status)
  return {
    status: worst(unreadable.length === 0 ? statuses : [...statuses, 'WARNING']),
    partitions,
    pointAtMs: newest?.atMs,
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
}

function coverTopic(
  { topic, folder, topicId, isGone }: TopicToCover,
  chains: readonly SurveyedChain[],
  { newest, due }: { readonly newest: RestorationPoint | undefined; readonly due: RestorationPoint | undefined },
): CoveredPartition[] {
  const known = knownOf(topic, topicId, newest, due)
  const byPartition = Map.groupBy(chains, ({ place }) => place.partition)
  const told = [...known].filter(([, one]) => hasRecords(one)).map(([partition]) => partition)
  return [...new Set([...byPartition.keys(), ...told])]
    .toSorted((a, b) => a - b)
    .map(partition => {
      const one = known.get(partition)
      const ends = one === undefined ? undefined : endsOf(one, isGone)
      return { topic, folder, partition, ...cover(byPartition.get(partition) ?? [], ends) }
    })
}

function worst(all: readonly Status[]): Status {
  if (all.includes('FAILURE')) return 'FAILURE'
  return all.includes('WARNING') ? 'WARNING' : 'OK'
}
