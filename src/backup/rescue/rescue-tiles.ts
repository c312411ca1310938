import type { Archive } from '../../catalog/archive.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Spool } from '../spool/spool.ts'
import type { SpoolHead } from '../spool/spool-notes.ts'
import { TopicFolders } from '../topics/topic-folders.ts'
import { rescueChain } from './rescue-chain.ts'
import type { LeftTile, RescueDeps } from './rescue-chain.ts'
import type { SpoolOnly } from './spool-only.ts'

/** What the store lacks, and the tiles of the spool that have it. */
export interface Kept {
  readonly only: SpoolOnly
  readonly heads: readonly SpoolHead[]
}

export interface Rescued {
  /** What the store cannot take as things are. */
  readonly stuck: readonly Kept[]
  /** What it would not take now, but may do so later. */
  readonly later: readonly Kept[]
}

/**
 * Uploads those tiles of the spool that continue their chain in the store, and says of each of the others why not. `othersAre` is
 * what becomes of those of another cluster or backup.
 */
export async function rescueTiles(
  spool: Spool,
  archive: Archive,
  heads: readonly SpoolHead[],
  deps: RescueDeps & { readonly othersAre: 'kept' | 'removed' },
  signal: AbortSignal,
): Promise<Rescued> {
  const { log, why, othersAre } = deps
  const folders = new TopicFolders(deps.store)
  const stuck: Kept[] = []
  const later: Kept[] = []
  const others = heads.filter(head => !isOf(head, archive))
  if (others.length > 0)
    log.info(
      { files: others.length, topics: [...new Set(others.map(({ topic }) => topic))] },
      `the spool has files of another cluster or backup: they are ${othersAre}`,
    )
  for (const chain of chainsOf(heads.filter(head => isOf(head, archive)))) {
    const [{ topic, partition, topicId, lineage }] = chain
    const left = new Map(chain.map(head => [head.uploadId, head]))
    try {
      signal.throwIfAborted()
      const place = { topic, topicId: await folders.of(topic, topicId), partition, lineage }
      for (const tile of await rescueChain(
        spool,
        chain,
        place,
        deps,
        ({ uploadId }) => left.delete(uploadId),
        signal,
      )) {
        const only = tellLeft(tile, deps)
        if (only !== undefined) stuck.push({ only, heads: [tile.head] })
      }
    } catch (error) {
      const reason = messageOf(error)
      const from = Math.min(...Array.from(left.values(), head => head.from))
      later.push({
        only: { topic, partition, from, to: undefined, records: undefined, reason },
        heads: [...left.values()],
      })
      log.warn({ reason, topic, partition, from }, `${why}: could not upload what the spool holds; it is kept`)
    }
  }
  return { stuck, later }
}

function tellLeft(
  { head: { topic, partition, from }, to, records, left }: LeftTile,
  { log, why }: RescueDeps,
): SpoolOnly | undefined {
  if (left.kind === 'durable') {
    log.debug({ topic, partition, from, to }, `${why}: the store has what the spool holds`)
    return undefined
  }
  const only = { topic, partition, from: left.from, to, records: to === undefined ? undefined : records }
  const { reason } = left
  const hint = 'nobody else has it; when it is not needed, remove the spool of --working-dir while the worker is down'
  log.warn({ ...only, reason, hint }, `${why}, and what the spool holds cannot be added to its files: it is kept`)
  return { ...only, reason }
}

function isOf({ clusterId, archiveId }: SpoolHead, archive: Archive): boolean {
  return clusterId === archive.clusterId && archiveId === archive.archiveId
}

type Chain = [SpoolHead, ...SpoolHead[]]

/** Those of each chain, in order. */
function chainsOf(heads: readonly SpoolHead[]): Iterable<Chain> {
  const chains = new Map<string, Chain>()
  for (const head of heads.toSorted((a, b) => a.from - b.from)) {
    const { topic, partition, topicId, lineage } = head
    const name = JSON.stringify([topic, partition, topicId, lineage])
    const chain = chains.get(name)
    if (chain === undefined) chains.set(name, [head])
    else chain.push(head)
  }
  return chains.values()
}
