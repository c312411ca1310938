import type { TileFacts } from '../format/facts.ts'
import { parseTileKey, tileKey } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { whyForeign } from './create-tile.ts'
import { readTileFacts } from './tile-facts.ts'
import { listTiles } from './tile-list.ts'
import type { ListedTile } from './tile-list.ts'
import { readFileHeader } from './tile-header-reader.ts'

/** Where a partition's chain ends, as the store shows it. */
export interface ChainEnd {
  /** The offset behind the last tile of the unbroken chain. */
  readonly end: number
  /** Where that tile begins; undefined when no tile was found from the start on. */
  readonly lastFrom: number | undefined
  /** Leader epoch of its last record; undefined when no tile was found, −1 when the tile does not tell. */
  readonly leaderEpoch: number | undefined
  /** The next tile's start behind a hole: a worker must not write over it. */
  readonly nextFrom: number | undefined
}

/** So many tiles at the end of a chain are looked into. */
const CHECKED_TILES = 32

/**
 * Follows the tiles from `start` on, as long as each begins where the one before ended: what is in the store counts, however
 * it came there. Each tile was added at the end of the one before, so that a listing shows the chain; only the last ones are
 * looked into, or a group that was lost would ask for every file of the backup. Throws TILE_CONFLICT at a tile of another
 * identity, or at what is no tile.
 */
export async function walkChain(
  store: ObjectStore,
  place: PartitionPlace,
  identity: Pick<TileFacts, 'clusterId' | 'topicId' | 'lineage'>,
  start: number | 'the first tile',
  signal: AbortSignal,
): Promise<ChainEnd | undefined> {
  const known = start === 'the first tile' ? undefined : start
  const { first, last } = await listEnds(store, place, known ?? 0, signal)
  let end = known ?? first?.place.from
  if (end === undefined) return undefined
  let lastFrom: number | undefined
  let leaderEpoch: number | undefined
  if (first !== undefined && first.place.from > end) return { end, lastFrom, leaderEpoch, nextFrom: first.place.from }
  const [oldest] = last
  if (oldest !== undefined && oldest !== first) end = oldest.place.from
  for (const { key, place: tile } of last) {
    if (tile.from < end) continue // begins inside another tile: the planner will say so
    if (tile.from > end) return { end, lastFrom, leaderEpoch, nextFrom: tile.from }
    const found = await readTileFacts(store, key, tile, signal)
    if (found === undefined) return { end, lastFrom, leaderEpoch, nextFrom: undefined } // removed since it was listed
    const reason = found.kind === 'no tile' ? found.reason : whyForeign(found.facts, identity)
    if (found.kind === 'no tile' || reason !== undefined) {
      throw new MaxbrodError('TILE_CONFLICT', `${key} stands where this partition’s files go on, and ${reason}`, {
        key,
        topic: place.topic,
        partition: place.partition,
        hint: 'move the object away, or back up under another prefix',
      })
    }
    lastFrom = tile.from
    leaderEpoch = found.leaderEpoch
    end = found.facts.coversTo
  }
  return { end, lastFrom, leaderEpoch, nextFrom: undefined }
}

/** The first tile from an offset on, and the last ones in order. */
async function listEnds(
  store: ObjectStore,
  place: PartitionPlace,
  from: number,
  signal: AbortSignal,
): Promise<{ readonly first: ListedTile | undefined; readonly last: readonly ListedTile[] }> {
  let first: ListedTile | undefined
  let last: ListedTile[] = []
  for await (const tile of listTiles(store, place, from, { onForeign: () => undefined, signal })) {
    first ??= tile
    last.push(tile)
    if (last.length === 2 * CHECKED_TILES) last = last.slice(CHECKED_TILES)
  }
  return { first, last: last.slice(-CHECKED_TILES) }
}

/** The first offset that the chain with a tile at `from` ever covered. Throws OBJECT_CORRUPT or OBJECT_MISSING. */
export async function readOrigin(
  store: ObjectStore,
  place: PartitionPlace,
  from: number,
  signal: AbortSignal,
): Promise<number> {
  const key = tileKey(place, from)
  const head = await store.head(key, signal)
  const parsed = parseTileKey(key)
  if (head === undefined || parsed === undefined)
    throw new MaxbrodError('OBJECT_MISSING', `${key} was there a moment ago`, { key })
  const header = await readFileHeader(store, key, parsed, head.etag, signal)
  return header.kind === 'maxbrod' ? header.tile.origin : from
}
