import type { PlanFile } from '../format/plan.ts'
import type { Limit } from '../runtime/limit.ts'
import type { PartitionMap } from '../runtime/topic-partition.ts'
import type { ChainRestore } from './chain.ts'
import type { ExecutorDeps } from './deps.ts'
import type { PlanCommits } from './plan-commits.ts'
import type { PlanProgress } from './plan-progress.ts'
import { restorePatiently } from './restore-patiently.ts'
import { troubleOf } from './trouble.ts'

export interface RunningChainDeps {
  readonly deps: Pick<ExecutorDeps, 'clock' | 'random' | 'log'>
  /** Bounds how many chains are restored at the same time. */
  readonly chains: Limit
  readonly progress: PlanProgress
  readonly commits: PlanCommits
  /** The plan partition is given up. */
  readonly ended: AbortSignal
  readonly newChain: (onFileDone: (file: PlanFile) => void) => ChainRestore
  readonly onFailed: (error: unknown) => void
}

/** A chain of a plan partition, when it is restored, and what becomes of it. */
export class RunningChain {
  readonly chain: ChainRestore
  readonly #with: RunningChainDeps
  /** Where its files stand in the plan partition, by their index. */
  readonly #offsets: number[] = []
  #running: Promise<void> | undefined
  #hasBegun = false
  #state: 'sound' | 'put aside' | 'stopped' = 'sound'
  /** Where its last file stands while what its target has lost is restored again. */
  #reopened: number | undefined

  constructor(deps: RunningChainDeps) {
    this.#with = deps
    this.chain = deps.newChain(({ index }) => this.#finish(this.#offsets[index]))
  }

  /** Until it is through, the time before its turn included. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /** The same for one whose turn has come. */
  get atWork(): Promise<void> | undefined {
    return this.#hasBegun ? this.#running : undefined
  }

  /** True while there is something to be written, and nothing that forbids it. */
  get isUnfinished(): boolean {
    return this.#state === 'sound' && !this.chain.isComplete
  }

  /** Adds the next file of the plan, which stands at that offset. */
  add(offset: number, file: PlanFile): void {
    this.#offsets.push(offset)
    // What comes behind the end of a chain that was put aside is put aside as well.
    if (this.#state === 'put aside') this.#with.progress.finish(offset)
    if (this.#state !== 'sound') return
    try {
      this.chain.add(file)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Starts it when it has something to do and is not at it. */
  start(): void {
    if (this.#running !== undefined || !this.isUnfinished) return
    const restore = () => {
      this.#hasBegun = true
      return this.#restore()
    }
    this.#running = this.#with.chains(restore).finally(() => {
      this.#running = undefined
      this.#hasBegun = false
    })
  }

  /** A chain that is put aside does not hold up the plan's offset: what it lacks, its target shows. */
  fail(error: unknown): void {
    if (this.#state !== 'sound') return
    this.#state = troubleOf(error) === 'quarantine' ? 'put aside' : 'stopped'
    this.#with.onFailed(error)
    if (this.#state === 'stopped') return
    for (const offset of this.#offsets) this.#with.progress.finish(offset)
    this.#with.commits.commit()
  }

  /** True for one that was complete, and of which the target holds less than it did before. */
  hasLost(before: PartitionMap<number>, held: PartitionMap<number>): boolean {
    const { chain } = this
    const isAtRest = this.#state === 'sound' && this.#running === undefined && chain.isComplete
    return isAtRest && (held.get(chain.target) ?? Infinity) < (before.get(chain.target) ?? 0)
  }

  /** Restores it again from where its target ends; the plan's offset stands at its last file until it is whole. */
  restart(): void {
    this.chain.lookAgain()
    this.#reopened = this.#offsets.at(-1)
    if (this.#reopened !== undefined) this.#with.progress.reopen(this.#reopened)
    this.start()
  }

  async #restore(): Promise<void> {
    const ending = await restorePatiently(this.chain, this.#with.deps, this.#with.ended)
    if (ending === 'given up') return
    if (ending !== 'complete') return this.fail(ending.failed)
    if (this.#reopened === undefined) return
    this.#finish(this.#reopened)
    this.#reopened = undefined
  }

  #finish(offset: number | undefined): void {
    if (offset !== undefined) this.#with.progress.finish(offset)
    this.#with.commits.commit()
  }
}
