import { walkChain } from '../../catalog/chain-walk.ts'
import { BlockPress } from '../../format/ocf/block-press.ts'
import { tileKey } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { ByteBudget } from '../../runtime/byte-budget.ts'
import { TileDraft } from '../chain/tile-draft.ts'
import { uploadTile } from '../chain/tile-upload.ts'
import type { BackupDeps } from '../deps.ts'
import type { Spool } from '../spool/spool.ts'
import type { SpoolHead } from '../spool/spool-notes.ts'
import type { SpooledTile } from '../spool/spooled-tile.ts'
import { whyLeft } from './why-left.ts'
import type { ChainSeen, WhyLeft } from './why-left.ts'

export interface RescueDeps extends Pick<
  BackupDeps,
  'store' | 'disk' | 'clock' | 'random' | 'log' | 'writer' | 'rules' | 'seal'
> {
  /** Why nobody else can be relied upon to read it again. */
  readonly why: string
}

/** A tile that stayed in the spool. */
export interface LeftTile {
  readonly head: SpoolHead
  /** Undefined where nothing of it is whole. */
  readonly to: number | undefined
  /** At most so many of them are missing in the store. */
  readonly records: number
  readonly left: WhyLeft
}

/**
 * Uploads the tiles of one chain that continue it in the store, one behind the other, and calls `onUploaded` for each; returns
 * the others.
 */
export async function rescueChain(
  spool: Spool,
  heads: readonly SpoolHead[],
  place: PartitionPlace,
  { store, writer, rules, seal, log, why }: RescueDeps,
  onUploaded: (head: SpoolHead) => void,
  ended: AbortSignal,
): Promise<LeftTile[]> {
  const [first] = heads
  if (first === undefined) return []
  const { archiveId, clusterId, topicId, lineage, origin } = first
  const identity = { archiveId, clusterId, topicId, lineage }
  // Without an id nobody knows whose files those in the folder are.
  let chain: ChainSeen | undefined =
    topicId === undefined ? undefined : await walkChain(store, place, identity, 'the first tile', ended)
  let conflict: string | undefined
  const wanted = { from: chain?.end ?? origin, limit: chain?.nextFrom ?? Infinity, leaderEpoch: undefined }
  const uploaded = new Set<string>()
  for (const tile of await spool.continuing(heads, identity, wanted)) {
    const draft = draftOf(spool, tile)
    const { keeping } = rules.of(place.topic)
    const key = tileKey(place, draft.from, seal !== undefined)
    const outcome = await uploadTile(draft, { store, place, identity, origin, writer, keeping, seal, ended })
    if (outcome.kind === 'conflict') conflict = `${key} is taken: ${outcome.reason}; it is kept as ${outcome.keptAs}`
    if (outcome.kind === 'adopted') chain = { end: outcome.coversTo, nextFrom: undefined }
    if (outcome.kind !== 'created') break
    chain = { end: draft.to, nextFrom: chain?.nextFrom }
    uploaded.add(tile.head.uploadId)
    log.info({ key, from: draft.from, to: draft.to, records: draft.records }, `${why}: uploaded what the spool holds`)
    spool.forget(tile.head)
    onUploaded(tile.head)
    await draft.discard()
  }
  const others = heads.filter(({ uploadId }) => !uploaded.has(uploadId))
  return Promise.all(others.map(head => leftTile(spool, head, chain, conflict)))
}

async function leftTile(
  spool: Spool,
  head: SpoolHead,
  chain: ChainSeen | undefined,
  conflict: string | undefined,
): Promise<LeftTile> {
  const tile = await spool.read(head)
  const to = tile?.to
  const why = whyLeft({ ...head, to }, chain, spool.group)
  const left = why.kind === 'stuck' && conflict !== undefined ? { ...why, reason: conflict } : why
  const from = left.kind === 'stuck' ? left.from : Infinity
  const blocks = (tile?.notes ?? []).flatMap(note => (note.kind === 'block' && note.lastOffset >= from ? [note] : []))
  return { head, to, records: blocks.reduce((sum, { records }) => sum + records, 0), left }
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
