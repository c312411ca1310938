import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Progress } from '../observe/progress.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { SoundDefinitions } from '../catalog/sound-definitions.ts'
import type { PreflightRow } from './preflight.ts'

/** The ports that a planner lives on. */
export interface PlannerDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly progress: Progress
  readonly pool: BufferPool
  /** A file that the user names; undefined when it does not exist. */
  readonly readFile: (path: string) => Promise<Buffer | undefined>
  /** Is told what was found out of all targets, before anything is written. */
  readonly onPreflight: (rows: readonly PreflightRow[]) => void
  /** URLs of backups that do exist near the given one, for the message when there is none. */
  readonly nearbyArchives: () => Promise<readonly string[]>
}

/** What a run of the planner shares besides. */
export interface PlannerContext extends PlannerDeps {
  /** What the backup says of its topics. */
  readonly definitions: SoundDefinitions
}
