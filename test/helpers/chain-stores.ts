import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { proveByCatalog } from './catalog-proof.ts'

/** The folder of the partition that `openChain` is about. */
const folder = 'orders/3/'

/** The spans of the tiles in a store, after the catalog's proof. */
export async function spansIn(store: ObjectStore): Promise<(readonly [number, number])[]> {
  const proven = await proveByCatalog(store)
  return (proven.get(folder) ?? []).map(({ from, to }) => [from, to] as const)
}

/** A store in memory, some verbs of which do something else. */
export function storeWith(change: (store: ObjectStore) => Partial<ObjectStore>): ObjectStore {
  const store = newMemoryStore()
  return { ...store, ...change(store) }
}
