import type { PartitionCursor } from '../reading/partition-cursor.ts'
import type { ReadingState } from '../reading/reading-state.ts'
import type { TileChain } from '../chain/tile-chain.ts'

export interface EndingDeps {
  readonly state: ReadingState
  readonly cursor: PartitionCursor
  readonly chain: TileChain
  /** Gives the memory back that the partition may use. */
  readonly memory: Disposable
  readonly onStopped: (error: unknown) => void
}

/** The ways in which a partition of a worker ends, by what becomes of what was read and is not durable. */
export class PartitionEnding {
  readonly #deps: EndingDeps

  constructor(deps: EndingDeps) {
    this.#deps = deps
  }

  /** Uploads everything taken so far and commits nothing: the committed offset speaks of another incarnation by now. */
  async retire(): Promise<void> {
    const { state, cursor, chain } = this.#deps
    state.end()
    chain.commitNoMore()
    cursor.close('the topic was deleted')
    await chain.drained()
  }

  /** Leaves what is not durable in the spool: the partition may come back. */
  async leave(): Promise<void> {
    const { state, cursor, chain } = this.#deps
    if (!state.isOver) cursor.intake.sealOpenBlock()
    this.#letGo()
    await chain.leave()
  }

  /** Drops what is not durable: whoever owns the partition next reads it again. */
  async discard(): Promise<void> {
    this.#letGo()
    await this.#deps.chain.discard()
  }

  /** Ends the partition where it stands, and says so. */
  stop(error: unknown): void {
    const { state, onStopped } = this.#deps
    if (state.isOver) return
    state.end()
    onStopped(error)
    void this.discard()
  }

  /** Reads no further, and uploads what was read. */
  async stopReading(error: unknown): Promise<void> {
    const { state, cursor, chain, onStopped } = this.#deps
    state.end()
    cursor.close('it cannot be read any further')
    onStopped(error)
    await chain.drained()
    await this.discard()
  }

  #letGo(): void {
    const { state, cursor, memory } = this.#deps
    state.end()
    memory[Symbol.dispose]()
    cursor.intake.reset(cursor.position)
  }
}
