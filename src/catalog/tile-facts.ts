import { factsOfHeader, isSameIdentity, tileFactsFromMap } from '../format/facts.ts'
import type { TileFacts } from '../format/facts.ts'
import type { TileKey } from '../format/keys.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { readFileStart } from './tile-header-reader.ts'

/** What an existing object says of itself to a writer that finds it in its way. */
export type FoundTile =
  | {
      readonly kind: 'tile'
      readonly facts: TileFacts
      /** Of its last record; −1 when unknown. */ readonly leaderEpoch: number
    }
  /** Damaged, or something else altogether. */
  | { readonly kind: 'no tile'; readonly reason: string }

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
  if (place.isEncrypted) {
    const head = await store.head(key, signal)
    return head === undefined ? undefined : sound(tileFactsFromMap(head.facts), place, -1)
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
    return sound(facts, place, header.tile.leaderEpoch)
  } catch (error) {
    if (isMaxbrodError(error, 'OBJECT_MISSING')) return undefined
    if (isMaxbrodError(error, 'OBJECT_CORRUPT')) return { kind: 'no tile', reason: messageOf(error.cause ?? error) }
    throw error
  }
}

function sound(facts: TileFacts | undefined, { from }: TileKey, leaderEpoch: number): FoundTile {
  if (facts === undefined) return { kind: 'no tile', reason: 'nothing beside it says what it covers' }
  if (facts.coversTo <= from) return { kind: 'no tile', reason: `it covers ${from} to ${facts.coversTo}` }
  return { kind: 'tile', facts, leaderEpoch }
}
