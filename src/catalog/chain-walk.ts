import { tileFactsFromMap } from '../format/facts.ts'
import type { TileFacts } from '../format/facts.ts'
import { parseTileKey, tileKey } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { readPrunes } from './prunes.ts'
import type { Prunes } from './prunes.ts'
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
  /** True when that one is encrypted. */
  readonly isLastEncrypted: boolean
  /** Leader epoch of its last record; undefined when no tile was found, −1 when the tile does not tell. */
  readonly leaderEpoch: number | undefined
  /** The next tile's start behind a hole: a worker must not write over it. */
  readonly nextFrom: number | undefined
  /** Tiles before the last ones that were listed and not looked into: whether one is missing among them is not known. */
  readonly unchecked: number
}

/** So many tiles at the end of a chain are looked into when nothing else is known of it. */
const CHECKED_TILES = 32
/** Tiles that are asked for together. */
const AHEAD = 4

type Identity = Pick<TileFacts, 'clusterId' | 'topicId' | 'lineage'>

/**
 * Follows the tiles from `start` on, as long as each begins where the one before ended: what is in the store counts, however
 * it came there. From a known offset, every tile is looked into: there are few, unless the group is stale, and a hole that is
 * overlooked here is never filled. Without one, each tile was added at the end of the one before, so that a listing shows the
 * chain; only the last ones are looked into, or a group that was lost would ask for every file of the backup. Throws
 * TILE_CONFLICT at a tile of another identity, or at what is no tile. `prunes` are asked for where files are missing.
 */
export async function walkChain(
  store: ObjectStore,
  place: PartitionPlace,
  identity: Identity,
  start: number | 'the first tile',
  signal: AbortSignal,
  prunes = () => readPrunes(store, signal),
): Promise<ChainEnd | undefined> {
  const listed = listTiles(store, place, start === 'the first tile' ? 0 : start, { onForeign: () => undefined, signal })
  const found = (end: ChainEnd) => behindPruned(store, place, identity, end, prunes, signal)
  if (start !== 'the first tile') return found(await follow(store, listed, identity, start, signal))
  const { last, unchecked } = await lastOf(listed)
  const [oldest] = last
  if (oldest === undefined) {
    // Somebody took the last file away: what is written below a prune's end would count for nothing.
    const begin = (await prunes()).beginOf(place)
    const nothing = {
      lastFrom: undefined,
      isLastEncrypted: false,
      leaderEpoch: undefined,
      nextFrom: undefined,
      unchecked: 0,
    }
    return begin > 0 ? { end: begin, ...nothing } : undefined
  }
  const end = await follow(store, last, identity, oldest.place.from, signal)
  return found({ ...end, unchecked })
}

/**
 * What looks like a hole may be what a prune has removed, or a stale group's place in it: then the chain is what begins behind
 * it. Asked for only then, because nearly all chains have no hole.
 */
async function behindPruned(
  store: ObjectStore,
  place: PartitionPlace,
  identity: Identity,
  found: ChainEnd,
  prunes: () => Promise<Prunes>,
  signal: AbortSignal,
): Promise<ChainEnd> {
  let chain = found
  while (chain.nextFrom !== undefined) {
    const known = await prunes()
    // What is in files that were made of others is missing in this folder alone.
    const begin = known.hasReplaced(place, chain.end) ? chain.nextFrom : known.beginOf(place)
    if (begin <= chain.end) return chain
    const rest = listTiles(store, place, begin, { onForeign: () => undefined, signal })
    chain = { ...(await follow(store, rest, identity, begin, signal)), unchecked: found.unchecked }
  }
  return chain
}

async function follow(
  store: ObjectStore,
  tiles: AsyncIterable<ListedTile> | Iterable<ListedTile>,
  identity: Identity,
  start: number,
  signal: AbortSignal,
): Promise<ChainEnd> {
  let end = start
  let lastFrom: number | undefined
  let isLastEncrypted = false
  let leaderEpoch: number | undefined
  const until = (nextFrom: number | undefined) => ({
    end,
    lastFrom,
    isLastEncrypted,
    leaderEpoch,
    nextFrom,
    unchecked: 0,
  })
  for await (const together of inGroups(tiles, AHEAD)) {
    const reading = together.map(({ key, place }) => readTileFacts(store, key, place, signal))
    for (const one of reading) one.catch(() => undefined) // behind a hole nobody looks
    for (const [index, { key, place: tile }] of together.entries()) {
      if (tile.from < end) continue // begins inside another tile: the planner will say so
      if (tile.from > end) return until(tile.from)
      const found = await reading[index]
      if (found === undefined) continue // removed since it was listed: what follows lies behind a hole
      const reason = found.kind === 'no tile' ? found.reason : whyForeign(found.facts, identity)
      if (found.kind === 'no tile' || reason !== undefined) {
        throw new MaxbrodError('TILE_CONFLICT', `${key} stands where this partition’s files go on, and ${reason}`, {
          key,
          topic: tile.topic,
          partition: tile.partition,
          hint: 'move the object away, or back up under another prefix',
        })
      }
      lastFrom = tile.from
      isLastEncrypted = tile.isEncrypted
      leaderEpoch = found.leaderEpoch
      end = found.facts.coversTo
    }
  }
  return until(undefined)
}

async function* inGroups<T>(all: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const one of all) {
    group.push(one)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

/** The last tiles in order, and how many come before them. */
async function lastOf(
  tiles: AsyncIterable<ListedTile>,
): Promise<{ readonly last: readonly ListedTile[]; readonly unchecked: number }> {
  let last: ListedTile[] = []
  let count = 0
  for await (const tile of tiles) {
    count++
    last.push(tile)
    if (last.length === 2 * CHECKED_TILES) last = last.slice(CHECKED_TILES)
  }
  last = last.slice(-CHECKED_TILES)
  return { last, unchecked: count - last.length }
}

/** The first offset that the chain with a tile at `from` ever covered. Throws OBJECT_CORRUPT or OBJECT_MISSING. */
export async function readOrigin(
  store: ObjectStore,
  place: PartitionPlace,
  from: number,
  isEncrypted: boolean,
  signal: AbortSignal,
): Promise<number> {
  const key = tileKey(place, from, isEncrypted)
  const head = await store.head(key, signal)
  const parsed = parseTileKey(key)
  if (head === undefined || parsed === undefined)
    throw new MaxbrodError('OBJECT_MISSING', `${key} was there a moment ago`, { key })
  if (isEncrypted) {
    const sealed = tileFactsFromMap(head.facts)?.sealed
    if (sealed !== undefined) return sealed.origin
    throw new MaxbrodError('OBJECT_CORRUPT', `${key}: nothing beside it says where its history begins`, {
      key,
      hint: 'copy encrypted files together with the metadata of their objects',
    })
  }
  const header = await readFileHeader(store, key, parsed, head.etag, signal)
  return header.kind === 'maxbrod' ? header.tile.origin : from
}
