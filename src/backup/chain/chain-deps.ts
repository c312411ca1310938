import type { BlockPress } from '../../format/ocf/block-press.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Committer } from '../resume/committer.ts'
import type { WorkerContext } from '../deps.ts'
import type { WorkerMemory } from '../memory.ts'
import type { UploadSlots } from './upload-slots.ts'
import type { UploadedTile } from './uploaded-tile.ts'

/** What the tiles of one partition live on. */
export interface ChainDeps {
  readonly context: WorkerContext
  readonly memory: WorkerMemory
  readonly press: BlockPress
  readonly committer: Committer
  /** Bounds how many tiles are uploaded at the same time. */
  readonly uploads: UploadSlots
  readonly log: Logger
  readonly onUploaded: (tile: UploadedTile) => void
  /** Leader epoch of what lies before the position that was read up to; −1 when unknown. */
  readonly lastEpoch: () => number
  /** False when the topic is another one by now: then nothing more is uploaded. Asked after all of a tile was read. */
  readonly isSameTopic: () => Promise<boolean>
  /**
   * The store was ahead of us, or the spool was lost: reading goes on at `position`, up to `barrier`. What was read and not
   * handed over yet must be dropped before this returns.
   */
  readonly onMoved: (position: number, barrier: number | undefined) => void
  /** An upload failed. Waits if there is a point in it, and says whether to go on. */
  readonly onTrouble: (error: unknown) => Promise<'try again' | 'stop'>
  /** The disk has no room for more: what came last is held in memory. */
  readonly onDiskFull: (error: unknown) => void
  /** Epoch of the partition's leader now. */
  readonly leaderEpoch: () => number
}
