import type { ArchiveDeps } from '../archive/deps.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { storageNearby } from '../storage/open.ts'
import type { StorageOptions } from '../storage/options.ts'
import type { Context } from './command.ts'

/** What a command that looks at an archive needs; nothing of it is Kafka. Dispose of it. */
export async function openArchive(storage: StorageOptions, context: Context): Promise<ArchiveDeps & Disposable> {
  const { clock, progress, stop } = context
  const store = await context.openStore(storage, context)
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
