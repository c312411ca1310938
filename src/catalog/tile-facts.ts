import { factsOfHeader, tileFactsFromMap } from '../format/facts.ts'
import type { TileFacts } from '../format/facts.ts'
import type { TileKey } from '../format/keys.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { readFileHeader } from './tile-header-reader.ts'

/** What an existing object says of itself to a writer that finds it in its way. */
export type FoundTile =
  | { readonly kind: 'tile'; readonly facts: TileFacts; readonly bytes: number }
  | { readonly kind: 'no tile'; readonly reason: string }

/**
 * The facts of the object at a tile's key, or undefined when there is none. They stand beside the object; where a copy of
 * the bucket lost them, the file's header tells the same.
 */
export async function readTileFacts(
  store: ObjectStore,
  key: string,
  place: TileKey,
  signal?: AbortSignal,
): Promise<FoundTile | undefined> {
  const head = await store.head(key, signal)
  if (head === undefined) return undefined
  const facts = tileFactsFromMap(head.facts)
  if (facts !== undefined) {
    if (facts.coversTo > place.from) return { kind: 'tile', facts, bytes: head.bytes }
    return { kind: 'no tile', reason: `it covers ${place.from} to ${facts.coversTo}` }
  }
  try {
    const header = await readFileHeader(store, key, place, head.etag, signal)
    if (header.kind !== 'maxbrod') return { kind: 'no tile', reason: 'it is a file of kafka-data-keep' }
    return { kind: 'tile', facts: factsOfHeader(header.tile, place.lineage, ''), bytes: head.bytes }
  } catch (error) {
    if (isMaxbrodError(error, 'OBJECT_CORRUPT')) return { kind: 'no tile', reason: error.message }
    throw error
  }
}
