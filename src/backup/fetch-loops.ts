import { runFetchLoop } from './fetch-loop.ts'
import type { FetchLoopDeps } from './fetch-loop.ts'

const FETCH_BYTES_MAX = 16 * 1024 * 1024
const FETCH_BYTES_MIN = 1024 * 1024
/** Share of the memory that all answers together may take. */
const FETCH_SHARE = 1 / 4

/** One fetch loop for each broker that leads a partition of ours. */
export class FetchLoops {
  readonly #deps: Omit<FetchLoopDeps, 'maxBytes'>
  readonly #onFailed: (error: unknown) => void
  readonly #loops = new Map<number, Promise<void>>()

  constructor(deps: Omit<FetchLoopDeps, 'maxBytes'>, onFailed: (error: unknown) => void) {
    this.#deps = deps
    this.#onFailed = onFailed
  }

  /** True once a broker is asked for records. */
  get hasBegun(): boolean {
    return this.#loops.size > 0
  }

  /** Starts loops for brokers that have become leaders, and looks for leaders that are missing. To be called now and then. */
  update(): void {
    const { context, memory, partitions } = this.#deps
    const nodes = new Set<number>()
    const lost = new Set<string>()
    for (const { ownership } of partitions()) {
      const leader = context.kafka.routes.leader(ownership)
      if (leader === undefined) lost.add(ownership.topic)
      else nodes.add(leader.nodeId)
    }
    // No loop reads a partition without leader, so none would hear of the next one.
    if (lost.size > 0) void context.kafka.routes.refresh([...lost])
    for (const nodeId of nodes) {
      if (this.#loops.has(nodeId)) continue
      // Two answers per broker: one is decoded while the next one arrives.
      const share = (memory.budget.limitBytes * FETCH_SHARE) / Math.max(nodes.size, 1) / 2
      const maxBytes = Math.floor(Math.min(FETCH_BYTES_MAX, Math.max(FETCH_BYTES_MIN, share)))
      this.#loops.set(nodeId, runFetchLoop(nodeId, { ...this.#deps, maxBytes }).catch(this.#onFailed))
    }
  }

  /** Resolves when all loops have ended, which they do once their signal aborts. */
  async ended(): Promise<void> {
    await Promise.all(this.#loops.values())
  }
}
