import { ByteBudget } from '../runtime/byte-budget.ts'
import type { Lease } from '../runtime/byte-budget.ts'

/** Who holds a block that is being filled and can be asked to finish it early. */
export interface BlockHolder {
  readonly openBytes: number
  sealOpenBlock(): void
}

const SPOOL_SHARE = 1 / 4

/** The worker's byte budgets. */
export class WorkerMemory {
  /** Answers of fetches, blocks being filled, blocks being compressed. */
  readonly budget: ByteBudget
  /** Compressed blocks of tiles that are not uploaded yet. They are on disk as well: who gets no room does without. */
  readonly spool: ByteBudget
  readonly #holders = new Set<BlockHolder>()

  constructor(limitBytes: number) {
    this.spool = new ByteBudget(limitBytes * SPOOL_SHARE)
    this.budget = new ByteBudget(limitBytes - this.spool.limitBytes)
  }

  join(holder: BlockHolder): Disposable {
    this.#holders.add(holder)
    return { [Symbol.dispose]: () => void this.#holders.delete(holder) }
  }

  /** Waits for room for a fetch. */
  async room(bytes: number, signal: AbortSignal): Promise<Lease> {
    const lease = this.budget.tryTake(bytes)
    if (lease !== undefined) return lease
    const room = this.budget.take(bytes, signal)
    this.relieve()
    return room
  }

  /**
   * Finishes the largest of the blocks that are being filled when a fetch waits for their memory: they never come to an end
   * by themselves when nothing is fetched. To be called also whenever an answer has become blocks, because it may be the one
   * whose memory the next fetch waits for.
   */
  relieve(): void {
    const short = this.budget.shortBytes
    if (short <= 0) return
    const holders = [...this.#holders].toSorted((a, b) => b.openBytes - a.openBytes)
    let sealed = 0
    for (const holder of holders) {
      if (sealed >= short || holder.openBytes === 0) return
      sealed += holder.openBytes
      holder.sealOpenBlock()
    }
  }
}
