import { readOrigin, walkChain } from '../../catalog/chain-walk.ts'
import type { ChainEnd } from '../../catalog/chain-walk.ts'
import { whyForeign } from '../../catalog/create-tile.ts'
import type { Prunes } from '../../catalog/prunes.ts'
import { findTileFacts } from '../../catalog/tile-facts.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { Gap } from '../../format/tile-header.ts'
import type { CommittedOffset } from '../../kafka/port/admin.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { decodeCommitNote } from '../../format/commit-note.ts'
import { isCache, requireArchive } from './commit-note.ts'
import type { CommitNote } from '../../format/commit-note.ts'
import type { PartitionIdentity } from './identity.ts'

/** Where a worker goes on with a partition. */
export interface ResumePoint {
  /** The end of the partition's chain in the store: the next tile begins here. */
  readonly chainEnd: number
  /** Where the last tile begins; undefined while there is none. */
  readonly lastFrom: number | undefined
  /** The first offset ever covered. */
  readonly origin: number
  /** Of the last record of the chain; −1 when unknown: then nothing tells whether the log still has it. */
  readonly leaderEpoch: number
  /** Offsets that Kafka no longer has and no tile covers; reading goes on behind them. */
  readonly gap: Gap | undefined
  /** A tile that lies ahead, behind a hole: the worker fills the hole up to here and goes on behind it. */
  readonly barrier: number | undefined
  /** Files that were listed and not looked into: whether one is missing among them is not known. */
  readonly unchecked: number
}

export interface LogBounds {
  readonly logStart: number
  readonly highWatermark: number
}

/**
 * Finds where to go on: the store decides, the committed offset is a shortcut to its end. Throws FOREIGN_ARCHIVE when the
 * group's commit belongs to another archive, TILE_CONFLICT when foreign objects stand in the way, LOG_BEHIND_BACKUP when
 * Kafka has less than the backup, unless the leader epoch is known: the first fetch tells where the histories part.
 */
export async function findResumePoint(
  store: ObjectStore,
  place: PartitionPlace,
  identity: PartitionIdentity,
  committed: CommittedOffset | undefined,
  bounds: LogBounds,
  signal: AbortSignal,
  prunes?: () => Promise<Prunes>,
): Promise<ResumePoint> {
  const note = validNote(place, identity, committed)
  const cached =
    committed === undefined || note === undefined
      ? undefined
      : await epochIfEndsAt(store, place, identity, note, committed.offset, signal)
  const isCacheGood = committed !== undefined && cached !== undefined
  const chain = await walkChain(
    store,
    place,
    identity,
    isCacheGood ? committed.offset : 'the first tile',
    signal,
    prunes,
  )
  const origin = await findOrigin(store, place, isCacheGood ? note : undefined, chain, bounds, signal)
  const chainEnd = chain?.end ?? origin
  const leaderEpoch = chain?.leaderEpoch ?? cached ?? -1
  if (leaderEpoch < 0) checkBounds(place, chainEnd, bounds)
  return {
    chainEnd,
    leaderEpoch,
    lastFrom: chain?.lastFrom ?? (isCacheGood ? note?.lastFrom : undefined),
    origin,
    gap:
      chainEnd < bounds.logStart
        ? { from: chainEnd, to: Math.min(bounds.logStart, chain?.nextFrom ?? Infinity), reason: 'retention' }
        : undefined,
    barrier: chain?.nextFrom,
    unchecked: chain?.unchecked ?? 0,
  }
}

/** The commit's note if it speaks of this archive, incarnation and lineage. */
function validNote(
  place: PartitionPlace,
  identity: PartitionIdentity,
  committed: CommittedOffset | undefined,
): CommitNote | undefined {
  const note = committed === undefined ? undefined : decodeCommitNote(committed.metadata)
  if (note === undefined) return undefined
  requireArchive(note, identity.archiveId, place)
  return isCache(note) && note.topicId === identity.topicId && note.lineage === identity.lineage ? note : undefined
}

/**
 * The last leader epoch (−1 for unknown) when the store bears the commit out: the tile that it names ends there, or there was
 * none yet.
 */
async function epochIfEndsAt(
  store: ObjectStore,
  place: PartitionPlace,
  identity: PartitionIdentity,
  note: CommitNote,
  offset: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { lastFrom } = note
  if (lastFrom === undefined) return offset === note.origin ? -1 : undefined
  const found = await findTileFacts(store, place, lastFrom, signal)
  const isBorneOut =
    found?.kind === 'tile' && found.facts.coversTo === offset && whyForeign(found.facts, identity) === undefined
  return isBorneOut ? found.leaderEpoch : undefined
}

async function findOrigin(
  store: ObjectStore,
  place: PartitionPlace,
  note: CommitNote | undefined,
  chain: ChainEnd | undefined,
  bounds: LogBounds,
  signal: AbortSignal,
): Promise<number> {
  if (note !== undefined) return note.origin
  if (chain?.lastFrom !== undefined) return readOrigin(store, place, chain.lastFrom, chain.isLastEncrypted, signal)
  return chain?.end ?? bounds.logStart
}

function checkBounds(place: PartitionPlace, chainEnd: number, { highWatermark }: LogBounds): void {
  if (chainEnd <= highWatermark) return
  throw new MaxbrodError(
    'LOG_BEHIND_BACKUP',
    `${partitionName(place)} ends at ${highWatermark}, and the backup holds it up to ${chainEnd}`,
    {
      topic: place.topic,
      partition: place.partition,
      hint: 'the partition lost records (an unclean leader election?): what the backup holds is safe; nothing is added until Kafka has passed it',
    },
  )
}
