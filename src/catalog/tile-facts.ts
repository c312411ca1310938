import { factsOfHeader, isSameIdentity, tileFactsFromMap } from '../format/facts.ts'
import type { SealedFacts, TileFacts } from '../format/facts.ts'
import { tileKey } from '../format/keys.ts'
import type { PartitionPlace, TileKey } from '../format/keys.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { readFileStart } from './tile-header-reader.ts'

/** What an existing object says of itself to a writer that finds it in its way. */
export type FoundTile =
  | {
      readonly kind: 'tile'
      readonly facts: TileFacts
      /** Of its last record; −1 when unknown. */ readonly leaderEpoch: number
      /** Of the whole object, as it is stored. */ readonly bytes: number
    }
  /** Damaged, or something else altogether. */
  | { readonly kind: 'no tile'; readonly reason: string }

/** Bytes may be damaged on their way: an object is called damaged when so many reads in a row say so. */
const READS = 3

/**
 * The facts of the object at a tile's key, or undefined when there is none. A tile that is damaged is none: its header, its
 * size and the facts beside it must agree, or a chain would go on behind records that nobody can read. A copy of the bucket
 * may have lost the facts; the header tells the same. Nobody but the owner of the key can look into an encrypted file: there
 * the facts must do.
 */
export async function readTileFacts(
  store: ObjectStore,
  key: string,
  place: TileKey,
  signal?: AbortSignal,
): Promise<FoundTile | undefined> {
  for (let read = 1; ; read++) {
    const found = await readOnce(store, key, place, signal)
    if (found?.kind !== 'no tile' || read === READS) return found
  }
}

async function readOnce(
  store: ObjectStore,
  key: string,
  place: TileKey,
  signal: AbortSignal | undefined,
): Promise<FoundTile | undefined> {
  if (place.isEncrypted) {
    const head = await store.head(key, signal)
    if (head === undefined) return undefined
    const facts = tileFactsFromMap(head.facts)
    const { sealed } = facts ?? {}
    if (sealed !== undefined && !isAt(sealed, place)) {
      const named = `${sealed.topic}-${sealed.partition} from ${sealed.coversFrom}`
      return { kind: 'no tile', reason: `the facts beside it say ${named}: it was stored under another file’s name` }
    }
    return sound(facts, place, sealed?.leaderEpoch ?? -1, head.bytes)
  }
  try {
    const { header, bytes, facts: map } = await readFileStart(store, key, place, { signal })
    if (header.kind !== 'maxbrod') return { kind: 'no tile', reason: 'it is a file of kafka-data-keep' }
    const wanted = header.headerBytes + header.tile.content.blocksBytes
    if (bytes !== wanted) return { kind: 'no tile', reason: `it has ${bytes} bytes, and its header promises ${wanted}` }
    const told = factsOfHeader(header.tile, place.lineage, '')
    const facts = tileFactsFromMap(map) ?? told
    if (!isSameIdentity(facts, told) || facts.coversTo !== told.coversTo || facts.records !== told.records)
      return { kind: 'no tile', reason: 'the facts beside it contradict its header' }
    return sound(facts, place, header.tile.leaderEpoch, bytes)
  } catch (error) {
    if (isMaxbrodError(error, 'OBJECT_MISSING')) return undefined
    if (isMaxbrodError(error, 'OBJECT_CORRUPT')) return { kind: 'no tile', reason: messageOf(error.cause ?? error) }
    throw error
  }
}

/** The same for the tile of a partition that begins there, encrypted or not. */
export async function findTileFacts(
  store: ObjectStore,
  place: PartitionPlace,
  from: number,
  signal?: AbortSignal,
): Promise<FoundTile | undefined> {
  for (const isEncrypted of [false, true]) {
    const found = await readTileFacts(store, tileKey(place, from, isEncrypted), { ...place, from, isEncrypted }, signal)
    if (found !== undefined) return found
  }
  return undefined
}

function isAt({ topic, partition, coversFrom }: SealedFacts, place: TileKey): boolean {
  return topic === place.topic && partition === place.partition && coversFrom === place.from
}

function sound(facts: TileFacts | undefined, { from }: TileKey, leaderEpoch: number, bytes: number): FoundTile {
  if (facts === undefined) return { kind: 'no tile', reason: 'nothing beside it says what it covers' }
  if (facts.coversTo <= from) return { kind: 'no tile', reason: `it covers ${from} to ${facts.coversTo}` }
  return { kind: 'tile', facts, leaderEpoch, bytes }
}
