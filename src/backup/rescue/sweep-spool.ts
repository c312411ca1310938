import { messageOf } from '../../runtime/errors.ts'
import type { WorkerContext } from '../deps.ts'
import { goneHeads } from './gone-heads.ts'
import { rescueTiles } from './rescue-tiles.ts'
import type { SpoolOnly } from './spool-only.ts'

/** How long the tiles of a partition that went to somebody else are kept, in case it comes back. */
const KEPT_MS = 60 * 60_000

/**
 * Lets go of what was left in the spool of partitions that have not come back. Kafka still has it, unless the topic is gone: of
 * those, what continues the files in the store is uploaded, and what cannot be is told, and kept: nobody else has it.
 */
export class SpoolSweep {
  readonly #context: WorkerContext
  readonly #onStuck: (stuck: SpoolOnly) => void
  readonly #signal: AbortSignal
  #sweeping: Promise<void> | undefined

  /** `onStuck` is called again and again for what stays. */
  constructor(context: WorkerContext, onStuck: (stuck: SpoolOnly) => void, signal: AbortSignal) {
    this.#context = context
    this.#onStuck = onStuck
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
      const deps = { ...this.#context, why: 'the topic was deleted', othersAre: 'removed' } as const
      const { stuck, later } = await rescueTiles(spool, archive, gone, deps, this.#signal)
      const kept = [...stuck, ...later].flatMap(({ heads }) => heads)
      for (const head of old) if (!kept.includes(head)) await spool.drop(head)
      spool.leave(kept)
      for (const { only } of stuck) this.#onStuck(only)
    } catch (error) {
      spool.leave(old)
      log.warn({ reason: messageOf(error) }, 'could not look what of the spool may go; it is kept')
    }
  }
}
