import { messageOf } from '../../runtime/errors.ts'
import type { WorkerContext } from '../deps.ts'
import { goneHeads } from './gone-heads.ts'
import { rescueTiles } from './rescue-tiles.ts'
import type { SpoolOnly } from './spool-only.ts'

/** How long the tiles of a partition that went to somebody else are kept, in case it comes back. */
const KEPT_MS = 60 * 60_000

/**
 * Lets go of what was left in the spool of partitions that have not come back. Kafka still has it, unless the topic is gone: of
 * those, what continues the files in the store is uploaded, and what cannot be is told.
 */
export class SpoolSweep {
  readonly #context: WorkerContext
  readonly #onLost: (lost: SpoolOnly) => void
  readonly #signal: AbortSignal
  #sweeping: Promise<void> | undefined

  constructor(context: WorkerContext, onLost: (lost: SpoolOnly) => void, signal: AbortSignal) {
    this.#context = context
    this.#onLost = onLost
    this.#signal = signal
  }

  /** To be called about once a second. */
  tick(maxAgeMs = KEPT_MS): void {
    this.#sweeping ??= this.#sweep(maxAgeMs).finally(() => (this.#sweeping = undefined))
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#sweeping
  }

  async #sweep(maxAgeMs: number): Promise<void> {
    const { spool, kafka, archive, log } = this.#context
    // Nobody else finds them from here on.
    const old = spool.takeOld(maxAgeMs)
    if (old.length === 0) return
    try {
      const gone = await goneHeads(kafka.admin, old)
      const deps = { ...this.#context, why: 'the topic was deleted', ending: 'it is removed' } as const
      const { stuck, later } = await rescueTiles(spool, archive, gone, deps, this.#signal)
      const kept = later.flatMap(({ heads }) => heads)
      for (const head of old) if (!kept.includes(head)) await spool.drop(head)
      spool.leave(kept)
      for (const lost of stuck) this.#onLost(lost)
    } catch (error) {
      spool.leave(old)
      log.warn({ reason: messageOf(error) }, 'could not look what of the spool may go; it is kept')
    }
  }
}
