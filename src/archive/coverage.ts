import { pointsNotAfter } from '../catalog/restoration-points.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import { cover } from './cover.ts'
import type { Cover, Ends, Status } from './cover.ts'
import type { CoverageOptions } from './coverage-options.ts'
import type { ArchiveDeps } from './deps.ts'
import { topicIdOf } from './list.ts'
import { isSelected, surveyArchive } from './survey.ts'
import type { SurveyedTopic } from './survey.ts'

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
  /** Topics that had records at that point and have no file here; those that are not backed up are among them. */
  readonly withoutFiles: readonly string[]
}

/** What of the history of each partition the backup has, and what of it is missing and why. Throws BACKUP_NOT_FOUND. */
export async function coverArchive(
  deps: ArchiveDeps,
  options: CoverageOptions,
  signal: AbortSignal,
): Promise<Coverage> {
  const now = deps.clock.now()
  const survey = await surveyArchive(deps, options, signal)
  const newest = await pointAt(deps, now, signal)
  const due = await pointAt(deps, now - options.lateAfter, signal)
  const partitions = survey.topics.flatMap(topic => coverTopic(topic, newest, due))
  const withFiles = new Set(survey.topics.map(topic => `${topic.folder.topic} ${topicIdOf(topic)}`))
  const withoutFiles = (newest?.partitions ?? [])
    .filter(one => one.end > one.log_start && isSelected(one.topic, options))
    .filter(one => !withFiles.has(`${one.topic} ${one.topic_id ?? undefined}`))
    .map(({ topic }) => topic)
  return {
    status: worst(partitions.map(({ status }) => status)),
    partitions,
    pointAtMs: newest?.atMs,
    withoutFiles: [...new Set(withoutFiles)],
  }
}

async function pointAt(
  { store }: ArchiveDeps,
  atMs: number,
  signal: AbortSignal,
): Promise<RestorationPoint | undefined> {
  for await (const point of pointsNotAfter(store, atMs, signal)) return point
  return undefined
}

function coverTopic(
  topic: SurveyedTopic,
  newest: RestorationPoint | undefined,
  due: RestorationPoint | undefined,
): CoveredPartition[] {
  const topicId = topicIdOf(topic)
  const { topic: name, name: folder } = topic.folder
  const own = (point: RestorationPoint | undefined): Map<number, PointPartition> =>
    new Map(
      (point?.partitions ?? [])
        .filter(one => one.topic === name && (one.topic_id ?? undefined) === topicId)
        .map(one => [one.partition, one] as const),
    )
  const [now, before] = [own(newest), own(due)]
  const chains = Map.groupBy(topic.chains, ({ place }) => place.partition)
  const known = [...now].filter(([, { log_start, end }]) => end > log_start).map(([partition]) => partition)
  return [...new Set([...chains.keys(), ...known])]
    .toSorted((a, b) => a - b)
    .map(partition => {
      const ends = endsOf(now.get(partition), before.get(partition))
      return { topic: name, folder, partition, ...cover(chains.get(partition) ?? [], ends) }
    })
}

function endsOf(now: PointPartition | undefined, before: PointPartition | undefined): Ends | undefined {
  return now === undefined ? undefined : { logStart: now.log_start, end: now.end, dueEnd: before?.end }
}

function worst(all: readonly Status[]): Status {
  if (all.includes('FAILURE')) return 'FAILURE'
  return all.includes('WARNING') ? 'WARNING' : 'OK'
}
