import { createHash } from 'node:crypto'
import { isSameIdentity, tileFactsToMap } from '../format/facts.ts'
import type { TileFacts } from '../format/facts.ts'
import { conflictKey } from '../format/system-keys.ts'
import { tileKey } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectBody, ObjectStore } from '../storage/port.ts'
import { readTileFacts } from './tile-facts.ts'
import type { FoundTile } from './tile-facts.ts'

/** What became of a tile that a worker wanted to add to a chain. */
export type CreatedTile =
  /** It is in the store and whole. */
  | { readonly kind: 'created' }
  /** Another valid tile of the same partition begins there; `coversTo` is its end. Ours was not stored. */
  | { readonly kind: 'adopted'; readonly coversTo: number }
  /** What lies there is no valid tile of this partition. Our bytes were kept at `keptAs`. */
  | { readonly kind: 'conflict'; readonly reason: string; readonly keptAs: string }

/** A key that is taken and then missing, again and again: stores with weak listings settle within a few tries. */
const MAX_TRIES = 5

/**
 * Adds a tile to the chain of its partition: a compare-and-append, because its key says where it begins and keys are
 * created once. May be called again after any failure; a tile of ours whose answer was lost is recognized by its upload id,
 * which an encrypted one has beside it, too: its bytes are others each time. Facts for a sealed file say that the body is one.
 */
export async function createTile(
  store: ObjectStore,
  place: PartitionPlace,
  from: number,
  body: ObjectBody,
  facts: TileFacts,
  signal?: AbortSignal,
): Promise<CreatedTile> {
  const isEncrypted = facts.sealed !== undefined
  const key = tileKey(place, from, isEncrypted)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const put = await store.put(key, body, tileFactsToMap(facts, body.sha256), signal)
    const found = await readTileFacts(store, key, { ...place, from, isEncrypted }, signal)
    if (found === undefined) continue
    // The header of an encrypted file cannot be asked how long it is.
    const isWhole = !put.created || !isEncrypted || (found.kind === 'tile' && found.bytes === body.bytes)
    if (isWhole && found.kind === 'tile' && isOurs(put.created, found.facts, facts)) return { kind: 'created' }
    if (put.created) {
      throw new MaxbrodError('OBJECT_CORRUPT', `${key} was stored a moment ago, and ${reasonOf(found)}`, {
        key,
        hint: 'the store does not keep what it is given; remove the object, check the store, and start again',
      })
    }
    const reason = found.kind === 'no tile' ? found.reason : whyForeign(found.facts, facts)
    if (found.kind === 'tile' && reason === undefined) return { kind: 'adopted', coversTo: found.facts.coversTo }
    const keptAs = conflictKey(isEncrypted ? nameOf(facts) : body.sha256, isEncrypted)
    await store.put(keptAs, body, tileFactsToMap(facts, body.sha256), signal)
    return { kind: 'conflict', reason: reason ?? 'it cannot be read', keptAs }
  }
  throw new MaxbrodError('STORAGE_UNREACHABLE', `${key} is taken and cannot be found, ${MAX_TRIES} times in a row`, {
    key,
  })
}

/**
 * A store may drop the facts of what it has just created; of an object that was there, only the upload id tells. One of ours
 * that ends elsewhere was put before a power loss cut our spool back: then it is as good as anybody else's.
 */
function isOurs(isCreated: boolean, found: TileFacts, ours: TileFacts): boolean {
  if (found.coversTo !== ours.coversTo || found.records !== ours.records) return false
  return isCreated || (ours.uploadId !== '' && found.uploadId === ours.uploadId)
}

/** The bytes of an encrypted file are others at each attempt, and should be kept once. */
function nameOf({ uploadId, sealed, coversTo }: TileFacts): string {
  return createHash('sha256')
    .update(JSON.stringify([uploadId, sealed, coversTo]))
    .digest('hex')
}

function reasonOf(found: FoundTile): string {
  return found.kind === 'no tile' ? found.reason : 'something else is there now'
}

/** Why a tile cannot belong to the same chain, or undefined when it does. */
export function whyForeign(
  found: TileFacts,
  ours: Pick<TileFacts, 'clusterId' | 'topicId' | 'lineage'>,
): string | undefined {
  if (isSameIdentity(found, ours)) return undefined
  if (found.clusterId !== ours.clusterId)
    return `it was written for cluster ${found.clusterId}, ours is ${ours.clusterId}`
  if (found.topicId !== ours.topicId) return `it was written for topic id ${found.topicId}, ours is ${ours.topicId}`
  return 'it was written for another leader-epoch history'
}
