import { text } from 'node:stream/consumers'
import { decodePruneRecord } from '../../src/format/prune-record.ts'
import type { PruneRecord } from '../../src/format/prune-record.ts'
import type { ObjectStore } from '../../src/storage/port.ts'

/** The records of the prunes that were made, each for itself, the oldest first. */
export async function storedPrunes(store: ObjectStore): Promise<(PruneRecord & { readonly key: string })[]> {
  const stored: (PruneRecord & { readonly key: string })[] = []
  for await (const { key } of store.list('@prunes/')) {
    const { body } = await store.get(key)
    stored.push({ key, ...decodePruneRecord(Buffer.from(await text(body))) })
  }
  return stored
}
