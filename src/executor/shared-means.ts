import type { PlanFile } from '../format/plan.ts'
import type { BatchAppender } from '../kafka/port/appending.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import { newLimit } from '../runtime/limit.ts'
import type { Limit } from '../runtime/limit.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import type { Throttle } from '../runtime/throttle.ts'
import { ChainRestore } from './chain.ts'
import type { ChainDeps } from './chain.ts'
import type { ExecutorDeps } from './deps.ts'
import { executorMetrics } from './metrics.ts'
import type { ExecutorOptions } from './options.ts'
import { StallWatch } from './stall-watch.ts'
import type { Targets } from './targets.ts'

/** Chains restored at the same time: each holds a few decoded blocks, and shares requests with the others. */
const CHAINS = 16

/** What all chains of an executor share: turns, memory, rate and connections. */
export class SharedMeans implements Disposable {
  /** Bounds how many chains are at work. */
  readonly turns: Limit = newLimit(CHAINS)
  readonly #deps: ExecutorDeps
  readonly #targets: Targets
  readonly #maxRecordBytes: number
  readonly #appender: BatchAppender
  readonly #stalls: StallWatch
  readonly #budget: ByteBudget
  readonly #throttle: Throttle
  #recordsSent = 0

  constructor(deps: ExecutorDeps, options: ExecutorOptions, targets: Targets) {
    this.#deps = deps
    this.#targets = targets
    this.#maxRecordBytes = options.maxRecordBytes
    this.#appender = deps.kafka.newAppender()
    this.#stalls = new StallWatch(deps.clock)
    this.#budget = new ByteBudget(options.memory)
    this.#throttle = options.maxRate === undefined ? unthrottled : newThrottle(deps.clock, options.maxRate)
  }

  /** Records that were acknowledged. */
  get recordsSent(): number {
    return this.#recordsSent
  }

  get usedBytes(): number {
    return this.#budget.usedBytes
  }

  newChain(
    target: PlanFile['target'],
    part: Pick<ChainDeps, 'ownership' | 'session' | 'onFileDone' | 'onCount'>,
  ): ChainRestore {
    const metrics = this.#deps.metrics.of(executorMetrics)
    const { topic } = target
    return new ChainRestore(target, {
      ...part,
      deps: this.#deps,
      appender: this.#appender,
      stalls: this.#stalls,
      throttle: this.#throttle,
      targets: this.#targets,
      budget: this.#budget,
      maxRecordBytes: this.#maxRecordBytes,
      onSent: (records, bytes) => {
        this.#recordsSent += records
        metrics.recordsTotal.add(records, { topic })
        metrics.sentBytesTotal.add(bytes, { topic })
      },
      onFileDone: file => {
        metrics.filesTotal.add(1, { topic })
        part.onFileDone(file)
      },
    })
  }

  [Symbol.dispose](): void {
    this.#appender[Symbol.dispose]()
    this.#stalls[Symbol.dispose]()
  }
}
