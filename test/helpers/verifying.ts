import { verifyArchive } from '../../src/archive/verify.ts'
import type { Verification, VerifyDeps } from '../../src/archive/verify.ts'
import { verifyOptions } from '../../src/archive/verify-options.ts'
import { silentProgress } from '../../src/observe/progress.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { optionsOf } from './options.ts'
import { Dice } from './seed.ts'

/** The ports of who looks at an archive in this store. */
export function archiveDeps(store: ObjectStore): VerifyDeps {
  const dice = new Dice('archive')
  return {
    store,
    clock: systemClock,
    disk: nodeDisk,
    random: { number: () => dice.number(), id: () => 'id' },
    progress: silentProgress,
    pool: new BufferPool(0),
    nearbyArchives: () => Promise.resolve([]),
  }
}

/** What `maxbrod verify` finds in a store, with these flags. */
export function verifying(store: ObjectStore, ...argv: string[]): Promise<Verification> {
  return verifyArchive(archiveDeps(store), optionsOf(verifyOptions, ...argv), new AbortController().signal)
}
