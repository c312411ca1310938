import type { Archive } from '../catalog/archive.ts'
import { findArchive } from '../catalog/archive.ts'
import { walkChain } from '../catalog/chain-walk.ts'
import { BlockPress } from '../format/ocf/block-press.ts'
import { tileKey } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { TopicDescription } from '../kafka/port/admin.ts'
import type { BackupDeps, WorkerContext } from './deps.ts'
import type { PartitionIdentity } from './resume/identity.ts'
import type { BackupOptions } from './options.ts'
import { openSpool } from './spool/spool.ts'
import type { Spool } from './spool/spool.ts'
import type { SpoolHead } from './spool/spool-notes.ts'
import type { SpooledTile } from './spool/spooled-tile.ts'
import { TileDraft } from './chain/tile-draft.ts'
import { uploadTile } from './chain/tile-upload.ts'
import { TopicFolders } from './topics/topic-folders.ts'
import { openWorkingDir } from './spool/working-dir.ts'

type RescueDeps = Pick<BackupDeps, 'store' | 'disk' | 'clock' | 'random' | 'log' | 'writer' | 'rules' | 'seal'>

/** True for what a worker gives up over while its spool may hold what nobody else has. */
export function isKafkaGone(error: unknown): boolean {
  return isMaxbrodError(error, 'KAFKA_UNREACHABLE', 'KAFKA_GAVE_UP')
}

/**
 * Uploads what the spool of a working folder holds, when Kafka cannot be reached: it may be all that there will be. Needs the
 * store alone; commits nothing, because the next worker finds the files. Never throws: the worker ends by the error that
 * led here.
 */
export async function rescueSpool(deps: RescueDeps, options: BackupOptions, signal: AbortSignal): Promise<void> {
  const { disk, random, log, store } = deps
  try {
    const archive = await findArchive(store, signal)
    if (archive === undefined) return
    using folder = await openWorkingDir(disk, options.workingDir, random, options.workerName)
    const why = 'Kafka cannot be reached'
    await rescueFrom(await openSpool(folder.spoolFolder, deps, options), archive, { ...deps, why }, signal)
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'could not upload what the spool holds; it is kept')
  }
}

/**
 * Uploads what the spool holds of topics that were deleted since, or created again: nobody can read that any more. To be called
 * before partitions take what is theirs. Never throws: it is no worse off than without.
 */
export async function rescueGone(spool: Spool, deps: WorkerContext, signal: AbortSignal): Promise<void> {
  const { kafka, archive, log } = deps
  const names = [...new Set(spool.heads.map(({ topic }) => topic))]
  if (names.length === 0) return
  try {
    const topics = new Map((await kafka.admin.topics(names)).map(topic => [topic.name, topic]))
    const gone = spool.heads.filter(head => isGone(head, topics.get(head.topic)))
    await rescueFrom(spool, archive, { ...deps, why: 'the topic was deleted' }, signal, gone)
  } catch (error) {
    log.warn(
      { reason: messageOf(error) },
      'could not look for topics that the spool holds records of and that are gone',
    )
  }
}

/** False where that cannot be told. */
function isGone({ topicId }: SpoolHead, found: TopicDescription | undefined): boolean {
  if (topicId === undefined) return false
  return found === undefined || (found.error === undefined && (found.topicId ?? topicId) !== topicId)
}

async function rescueFrom(
  spool: Spool,
  archive: Archive,
  deps: RescueDeps & { readonly why: string },
  signal: AbortSignal,
  heads = spool.heads,
): Promise<void> {
  const folders = new TopicFolders(deps.store)
  for (const head of firstOfEach(heads)) {
    const { topic, partition, topicId, lineage, clusterId, archiveId } = head
    const isOurs = clusterId === archive.clusterId && archiveId === archive.archiveId
    if (!isOurs || signal.aborted) continue
    try {
      const place = { topic, topicId: await folders.of(topic, topicId), partition, lineage }
      await rescuePartition(spool, place, { archiveId, clusterId, topicId, lineage }, head, deps, signal)
    } catch (error) {
      deps.log.warn({ reason: messageOf(error), topic, partition }, 'could not upload what the spool holds; it is kept')
    }
  }
}

/** The first tile of each chain. */
function firstOfEach(heads: readonly SpoolHead[]): Iterable<SpoolHead> {
  const first = new Map<string, SpoolHead>()
  for (const head of heads.toSorted((a, b) => a.from - b.from)) {
    const { topic, partition, topicId, lineage, clusterId, archiveId } = head
    const chain = JSON.stringify([topic, partition, topicId, lineage, clusterId, archiveId])
    if (!first.has(chain)) first.set(chain, head)
  }
  return first.values()
}

async function rescuePartition(
  spool: Spool,
  place: PartitionPlace,
  identity: PartitionIdentity,
  { from, origin }: SpoolHead,
  { store, writer, rules, seal, log, why }: RescueDeps & { readonly why: string },
  ended: AbortSignal,
): Promise<void> {
  // Only a chain that ends where the spool begins can be continued; the first tile of all begins it.
  const chain = await walkChain(store, place, identity, 'the first tile', ended)
  const end = chain?.end ?? (from === origin ? from : undefined)
  if (end === undefined) return
  const wanted = { from: end, limit: chain?.nextFrom ?? Infinity, leaderEpoch: undefined }
  for (const tile of await spool.peek(place, identity, wanted)) {
    const draft = draftOf(spool, tile)
    const { keeping } = rules.of(place.topic)
    const outcome = await uploadTile(draft, { store, place, identity, origin, writer, keeping, seal, ended })
    if (outcome.kind !== 'created') return // somebody is at work there: the next start decides
    log.info(
      { key: tileKey(place, draft.from, seal !== undefined), from: draft.from, to: draft.to, records: draft.records },
      `${why}: uploaded what the spool holds`,
    )
    await draft.discard()
  }
}

function draftOf(spool: Spool, tile: SpooledTile): TileDraft {
  return new TileDraft({
    head: tile.head,
    notes: tile.notes,
    spool: spool.fileOf(tile, new ByteBudget(1), () => undefined),
    press: new BlockPress(1),
    openedAtMs: 0,
    onSpooled: () => undefined,
    onFailed: () => undefined,
  })
}
