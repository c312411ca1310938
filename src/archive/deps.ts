import type { NearbyArchives } from '../catalog/backup-not-found.ts'
import type { Progress } from '../observe/progress.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { HeaderIndex } from './header-index.ts'

/** The ports that who looks at an archive lives on. */
export interface ArchiveDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly progress: Progress
  readonly pool: BufferPool
  readonly nearbyArchives: NearbyArchives
  /** What was read before; without it all headers are read. */
  readonly headers?: HeaderIndex | undefined
}
