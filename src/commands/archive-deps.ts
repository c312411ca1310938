import type { ArchiveDeps } from '../archive/deps.ts'
import { HeaderIndex } from '../archive/header-index.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { storageNearby } from '../storage/open.ts'
import type { OpeningOptions } from '../storage/encryption-options.ts'
import type { StorageOptions } from '../storage/options.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Context } from './command.ts'
import { openStoreToRead } from './open-store-to-read.ts'

/** What a command that looks at an archive needs; nothing of it is Kafka. Dispose of it. `index`: path of the headers that were read before. */
export async function openArchive(
  storage: StorageOptions,
  opening: OpeningOptions,
  context: Context,
  index?: string,
): Promise<ArchiveDeps & Disposable> {
  const { disk, logger } = context
  const store = await openStoreToRead(storage, opening, context)
  // A header that was read before does not tell that its file is a plain one.
  const trusted = opening.requireEncryption ? undefined : index
  const headers = await HeaderIndex.open(disk, logger, trusted, store.url)
  return { ...archiveIn(store, storage, context), headers }
}

/** The same around a store that is open already. */
export function archiveIn(store: ObjectStore, storage: StorageOptions, context: Context): ArchiveDeps & Disposable {
  const { clock, progress, stop } = context
  return {
    store,
    clock,
    progress,
    pool: new BufferPool(POOL_BYTES),
    nearbyArchives: () => storageNearby(storage, context, stop.draining),
    [Symbol.dispose]: () => store.close(),
  }
}

const POOL_BYTES = 32 * 1024 * 1024
