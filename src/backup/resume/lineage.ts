import type { Prunes } from '../../catalog/prunes.ts'
import { readTileFacts } from '../../catalog/tile-facts.ts'
import { listPartitions, listTiles } from '../../catalog/tile-list.ts'
import type { ListedTile } from '../../catalog/tile-list.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { CommittedOffset } from '../../kafka/port/admin.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { decodeCommitNote } from '../../format/commit-note.ts'
import { isCache } from './commit-note.ts'
import type { PartitionIdentity } from './identity.ts'
import { findResumePoint } from './resume.ts'
import type { LogBounds, ResumePoint } from './resume.ts'

/** What Kafka said when it was asked to go on behind records that its log does not have (KIP-595). */
export interface Divergence {
  /** Where reading was to go on, and the leader epoch of what lies before. */
  readonly asked: { readonly offset: number; readonly leaderEpoch: number }
  /** The log has the records of this epoch, the largest one up to that of `asked` … */
  readonly leaderEpoch: number
  /** … up to here. */
  readonly endOffset: number
}

/** A partition's place in the archive, in its newest lineage, and where a worker goes on there. */
export interface LineageStart {
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly resume: ResumePoint
  /** Where the log was cut, if this lineage begins here and now. */
  readonly cutAt: number | undefined
}

export interface LineageQuestion {
  readonly store: ObjectStore
  /** Of the first lineage. */
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly committed: CommittedOffset | undefined
  readonly bounds: LogBounds
  /** The lineages that the topic's folder had a moment ago. */
  readonly listed: () => Promise<readonly PartitionPlace[]>
  /** Of the leader now. */
  readonly leaderEpoch: number
  /** What the log said of the end of a chain, if it was asked already. */
  readonly divergence: Divergence | undefined
  /** What prunes gave up, read a moment ago; default: read when it matters. */
  readonly prunes?: () => Promise<Prunes>
  readonly signal: AbortSignal
}

/**
 * Finds a partition's lineage and where to go on in it. A chain whose end the log does not have is left as it is: a new
 * lineage, named by the leader epoch, begins where the histories part. Throws as findResumePoint does.
 */
export async function findLineage(question: LineageQuestion): Promise<LineageStart> {
  const { divergence, leaderEpoch } = question
  const noted = notedLineage(question)
  const lineage = noted === 'unknown' ? newestOf(await question.listed(), question.place) : noted
  const found = await startOf(question, lineage)
  const { chainEnd } = found.resume
  if (divergence === undefined || divergence.asked.offset !== chainEnd) return found
  const at = await partingOf(divergence, found.place, question)
  // Only the epoch is in doubt; with one that the log has, the next look goes on from there.
  if (chainEnd <= at.offset) return { ...found, resume: { ...found.resume, leaderEpoch: at.leaderEpoch } }
  const newest = newestOf(await listAll(question), found.place)
  // Somebody began it, and the commit that says so was lost.
  if ((newest ?? -1) > (lineage ?? -1)) return startOf(question, newest)
  const isFresh = found.resume.lastFrom === undefined
  if (leaderEpoch < (lineage ?? 0) || (leaderEpoch === lineage && !isFresh)) {
    const what = `${partitionName(found.place)} was cut, and its leader’s epoch is not known`
    throw new MaxbrodError('KAFKA_GAVE_UP', what, { topic: found.place.topic, partition: found.place.partition })
  }
  const { logStart } = question.bounds
  return {
    place: { ...found.place, lineage: leaderEpoch },
    identity: { ...found.identity, lineage: leaderEpoch },
    resume: {
      chainEnd: at.offset,
      lastFrom: undefined,
      origin: at.offset,
      leaderEpoch: at.leaderEpoch,
      gap: at.offset < logStart ? { from: at.offset, to: logStart, reason: 'retention' } : undefined,
      barrier: undefined,
      unchecked: 0,
    },
    cutAt: at.offset,
  }
}

async function startOf(
  { store, place, identity, committed, bounds, prunes, signal }: LineageQuestion,
  lineage: number | undefined,
): Promise<LineageStart> {
  const own = { place: { ...place, lineage }, identity: { ...identity, lineage } }
  const resume = await findResumePoint(store, own.place, own.identity, committed, bounds, signal, prunes)
  return { ...own, resume, cutAt: undefined }
}

/** The lineage that the group committed last, if it speaks of this archive and incarnation. */
function notedLineage({ committed, identity }: LineageQuestion): number | undefined | 'unknown' {
  const note = committed === undefined ? undefined : decodeCommitNote(committed.metadata)
  const isOurs = note?.archiveId === identity.archiveId && note.topicId === identity.topicId && isCache(note)
  return isOurs ? note.lineage : 'unknown'
}

function newestOf(places: readonly PartitionPlace[], { partition }: PartitionPlace): number | undefined {
  return places.findLast(one => one.partition === partition)?.lineage
}

function listAll({ store, place: { topic, topicId }, signal }: LineageQuestion): Promise<PartitionPlace[]> {
  return listLineages(store, topic, topicId, signal)
}

/** All partitions and lineages in a topic's folder. */
export function listLineages(
  store: ObjectStore,
  topic: string,
  topicId: string | undefined,
  signal: AbortSignal,
): Promise<PartitionPlace[]> {
  const name = topicId === undefined ? topic : `${topic}@${topicId}`
  return listPartitions(store, { topic, topicId, name }, { onForeign: () => undefined, signal })
}

/**
 * An offset up to which the chain and the log have the same records: the largest one if both have the epoch, else one that is
 * certainly not too large. What lies between is read again into the new lineage.
 */
async function partingOf(
  { asked, leaderEpoch, endOffset }: Divergence,
  place: PartitionPlace,
  { store, bounds: { logStart }, signal }: LineageQuestion,
): Promise<{ readonly offset: number; readonly leaderEpoch: number }> {
  // Offsets of one epoch were given by one leader: both have the same records of it.
  if (leaderEpoch === asked.leaderEpoch) return { offset: endOffset, leaderEpoch }
  const tiles: ListedTile[] = []
  for await (const tile of listTiles(store, place, 0, { onForeign: () => undefined, signal })) {
    if (tile.place.from >= endOffset) break
    tiles.push(tile)
  }
  for (const { key, place: tile } of tiles.toReversed()) {
    const found = await readTileFacts(store, key, tile, signal)
    if (found?.kind !== 'tile' || found.leaderEpoch < 0) break
    const { coversTo } = found.facts
    if (coversTo <= endOffset && found.leaderEpoch <= leaderEpoch)
      return { offset: coversTo, leaderEpoch: found.leaderEpoch }
  }
  // Nothing tells: all that Kafka still has is read again.
  return { offset: Math.min(logStart, endOffset), leaderEpoch: -1 }
}
