import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { SoundSnapshots } from '../catalog/sound-snapshots.ts'
import type { TopicFolder } from '../catalog/tile-list.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { PlannerDeps } from './deps.ts'
import { historyAt } from './lineages.ts'
import type { SurvivingHistory } from './lineages.ts'
import { orderTopics } from './order.ts'
import type { PlannerOptions } from './options.ts'
import { isSameId } from './plan-state.ts'
import type { Window } from './window.ts'

/** The restoration point that a plan is cut by, and what that makes of the selection. */
export interface ChosenPoint {
  readonly point: RestorationPoint
  /** The incarnations that the topics were then, in the order of the selection. */
  readonly folders: readonly TopicFolder[]
  readonly window: Window
  readonly warnings: readonly string[]
}

const noPoint = 'maxbrod groups-backup writes restoration points; --until cuts by the times of records instead'
const lacking = 'leave topics out that are not backed up (--exclude-topics), or cut by the times of records (--until)'

type Survey = (folder: TopicFolder) => Promise<readonly SurvivingHistory[]>

/**
 * The newest restoration point not after a moment up to which the files of all selected topics reach: at one moment, so that
 * topics fit together, and groups fit to them. Damaged points are passed over. Throws BACKUP_NOT_FOUND when there is none.
 */
export async function choosePoint(
  { store }: Pick<PlannerDeps, 'store'>,
  options: Pick<PlannerOptions, 'topics' | 'excludeTopics'> & { readonly at: number },
  folders: ReadonlyMap<string, readonly TopicFolder[]>,
  survey: Survey,
  signal: AbortSignal,
): Promise<ChosenPoint> {
  const warnings: string[] = []
  const damaged: string[] = []
  const sound = new SoundSnapshots(store, (_, { message }) => damaged.push(`passed over: ${message}`))
  for await (const point of sound.pointsNotAfter(options.at, signal)) {
    const byTopic = Map.groupBy(point.partitions, ({ topic }) => topic)
    const topics = orderTopics(byTopic.keys(), options.topics, options.excludeTopics).filter(
      name => folders.has(name) || !isOfKafka(name),
    )
    const found: Found[] = []
    for (const topic of topics) {
      const partitions = byTopic.get(topic) ?? []
      const then: Survey = async folder => historiesAt(await survey(folder), partitions, point.atMs)
      found.push(await findTopic(folders.get(topic) ?? [], partitions, then))
    }
    const [lack] = found.flatMap(({ lacks }) => lacks)
    if (lack !== undefined) {
      if (warnings.length === 0) warnings.push(`the restoration point of ${timeText(point)} is passed over: ${lack}`)
      continue
    }
    const late = orderTopics(folders.keys(), options.topics, options.excludeTopics).filter(name => !byTopic.has(name))
    return {
      point,
      folders: found.flatMap(({ folder }) => folder ?? []),
      window: { untilMs: undefined, from: undefined, to: new PartitionMap(found.flatMap(({ ends }) => ends)) },
      warnings: [
        ...damaged,
        ...warnings.map(text => `${text}; the one of ${timeText(point)} is restored`),
        ...late.map(name => `${name} did not exist at ${timeText(point)} and is left out`),
      ],
    }
  }
  const upTo = new Date(options.at).toISOString()
  const [passedOver] = warnings
  if (passedOver === undefined && sound.firstError !== undefined) throw sound.firstError
  throw new MaxbrodError(
    'BACKUP_NOT_FOUND',
    passedOver === undefined
      ? `there is no restoration point up to ${upTo} in ${store.url}`
      : `no restoration point up to ${upTo} is covered by the files: ${passedOver}`,
    { hint: passedOver === undefined ? noPoint : lacking },
  )
}

/** The histories that the partitions of a topic had at a point. */
export function historiesAt(
  histories: readonly SurvivingHistory[],
  partitions: readonly Pick<PointPartition, 'partition' | 'end'>[],
  atMs: number,
): SurvivingHistory[] {
  const ends = new Map(partitions.map(({ partition, end }) => [partition, end]))
  return histories.map(history => historyAt(history, ends.get(history.place.partition) ?? 0, atMs))
}

/** A topic of a point in the backup. */
interface Found {
  readonly folder: TopicFolder | undefined
  /** The first offset of each partition that is not restored. */
  readonly ends: readonly (readonly [{ readonly topic: string; readonly partition: number }, number])[]
  /** Where its files do not reach up to the point. */
  readonly lacks: readonly string[]
}

async function findTopic(
  folders: readonly TopicFolder[],
  partitions: readonly PointPartition[],
  survey: Survey,
): Promise<Found> {
  const folder = await folderOf(folders, partitions[0]?.topic_id ?? undefined, survey)
  const histories = folder === undefined ? [] : await survey(folder)
  const reached = new Map(histories.map(({ place, tiles }) => [place.partition, tiles.at(-1)?.to ?? 0]))
  const lacks = partitions
    // What retention had taken altogether needs no file.
    .filter(({ partition, log_start, end }) => end > log_start && (reached.get(partition) ?? 0) < end)
    .map(one => `${partitionName(one)} ended at ${one.end}, and its files end at ${reached.get(one.partition) ?? 0}`)
  const begins = new Map(histories.map(({ place, begin = 0 }) => [place.partition, begin]))
  const pruned = partitions
    .filter(({ partition, log_start, end }) => end > log_start && (begins.get(partition) ?? 0) >= end)
    .map(one => `${partitionName(one)} ended at ${one.end}, and was pruned up to ${begins.get(one.partition)}`)
  const endOf = new Map(partitions.map(({ partition, end }) => [partition, end]))
  const ends = histories.map(({ place }) => {
    const end = Math.min(endOf.get(place.partition) ?? 0, reached.get(place.partition) ?? 0)
    return [{ topic: place.topic, partition: place.partition }, end] as const
  })
  return { folder, ends, lacks: [...lacks, ...pruned] }
}

/** The folder of the incarnation with that id; the plain one does not carry it in its name. */
async function folderOf(
  folders: readonly TopicFolder[],
  topicId: string | undefined,
  survey: Survey,
): Promise<TopicFolder | undefined> {
  const named = folders.find(folder => topicId !== undefined && folder.topicId === topicId)
  if (named !== undefined) return named
  const plain = folders.find(folder => folder.topicId === undefined)
  if (plain === undefined) return undefined
  const tiles = (await survey(plain)).flatMap(history => history.tiles)
  return isSameId(tiles.find(tile => tile.topicId !== undefined)?.topicId, topicId) ? plain : undefined
}

/** Points know them, and a backup has them only if it was asked to. */
function isOfKafka(topic: string): boolean {
  return topic.startsWith('__')
}

function timeText({ atMs }: RestorationPoint): string {
  return new Date(atMs).toISOString()
}
