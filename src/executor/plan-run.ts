import { chainName } from '../format/plan.ts'
import type { PlanEnd, PlanFile, PlanHead } from '../format/plan.ts'
import type { GroupSession, Ownership } from '../kafka/port/membership.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { Aborted } from '../runtime/aborted.ts'
import type { Limit } from '../runtime/limit.ts'
import type { ChainDeps, ChainRestore } from './chain.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'
import { PlanCommits } from './plan-commits.ts'
import type { PlanCommitsDeps } from './plan-commits.ts'
import { otherwiseClosed, shortened } from './plan-differs.ts'
import { PlanProgress } from './plan-progress.ts'
import { RunningChain } from './running-chain.ts'

export interface PlanRunDeps extends PlanCommitsDeps {
  readonly planTopic: string
  readonly head: PlanHead
  /** Bounds how many chains are restored at the same time, in the order of the plan. */
  readonly chains: Limit
  readonly newChain: (
    target: PlanFile['target'],
    part: Pick<ChainDeps, 'ownership' | 'session' | 'onFileDone' | 'onCount'>,
  ) => ChainRestore
  readonly onPlanned: (file: PlanFile) => void
  readonly onCount: (target: PlanFile['target'], count: number) => void
  readonly onFailed: (target: PlanFile['target'], error: unknown) => void
  /** A chain's topic was met for the first time. */
  readonly onTopic: (topic: string) => Promise<void>
}

/** How often a plan partition is asked for more: a planner may run again while executors work. */
const FOLLOW_MS = 2_000

/** One plan partition of this executor: its chains are restored side by side, its offset follows what is done. */
export class PlanRun {
  readonly #with: PlanRunDeps
  readonly #yielding = new AbortController()
  /** What chains take for the ownership: it ends when the partition is about to be given up. */
  readonly #work: Ownership
  readonly #progress = new PlanProgress()
  readonly #chains = new Map<string, RunningChain>()
  readonly #started = Promise.withResolvers<void>()
  readonly #commits: PlanCommits

  constructor(ownership: Ownership, deps: PlanRunDeps) {
    this.#with = deps
    this.#commits = new PlanCommits(ownership, this.#progress, deps)
    this.#work = { ...ownership, ended: AbortSignal.any([ownership.ended, this.#yielding.signal]) }
  }

  /** The topics to which this executor has something to write. */
  get unfinishedTopics(): string[] {
    const open = [...this.#chains.values()].filter(({ isUnfinished }) => isUnfinished)
    return open.map(({ chain }) => chain.target.topic)
  }

  /** Follows the plan partition until it is given up. Throws for a plan that cannot be read. */
  async run(): Promise<void> {
    try {
      await this.#follow(await this.#with.session)
    } finally {
      this.#started.resolve()
    }
  }

  async #follow(session: GroupSession): Promise<void> {
    const { deps, planTopic, head } = this.#with
    const { partition, ended } = this.#work
    for (let position = 0; !ended.aborted;) {
      const end = await endOf(deps.kafka, planTopic, partition)
      if (end < position) throw shortened(planTopic, partition, position, end)
      for await (const { offset, entry } of readPlanEntries(
        deps.kafka,
        planTopic,
        partition,
        position,
        end,
        head,
        ended,
      )) {
        this.#progress.add(offset, entry.kind !== 'file')
        if (entry.kind === 'file') await this.#addFile(offset, entry, session)
        else if (entry.kind === 'end') this.#checkEnd(entry)
      }
      position = end
      this.#progress.reach(end)
      for (const running of this.#chains.values()) running.start()
      this.#commits.commit()
      this.#started.resolve()
      await deps.clock.sleep(FOLLOW_MS, ended)
    }
  }

  /** Stops the chains behind the batches that are on their way, and commits what is done. */
  async yield(): Promise<void> {
    this.#yielding.abort(new Aborted('the plan partition moves to another executor'))
    await this.#started.promise
    // One whose turn has not come has sent nothing, and its turn may be far away.
    for (const { atWork } of this.#chains.values()) await atWork
    await this.#commits.underWay
  }

  /** Resolves when the plan partition was read once, no chain is at work, and what is done is committed. */
  async settled(): Promise<void> {
    await this.#started.promise
    for (const { running } of this.#chains.values()) await running
    await this.#commits.underWay
  }

  has(target: PlanFile['target']): boolean {
    return this.#chains.has(chainName(target))
  }

  /** By target, the records that it is known to hold: chains that are at work grow on. */
  counts(): PartitionMap<number> {
    const complete = [...this.#chains.values()].filter(({ chain }) => chain.isComplete)
    return new PartitionMap(complete.map(({ chain }) => [chain.target, chain.count] as const))
  }

  /**
   * Looks again at chains of which the target holds less than it did before, by an unclean leader election. True when there is
   * one. `before` is older than `held`: a chain that was extended meanwhile has lost nothing. The plan's offset goes back to its
   * last file until it is whole: whoever comes after an executor that dies meanwhile must not take the plan for done.
   */
  mend(before: PartitionMap<number>, held: PartitionMap<number>): boolean {
    const cut = [...this.#chains.values()].filter(running => running.hasLost(before, held))
    for (const running of cut) {
      this.#with.deps.log.warn(
        { ...running.chain.target, restored: before.get(running.chain.target), left: held.get(running.chain.target) },
        'the target has lost records that were restored: they are restored again',
      )
      running.restart()
    }
    this.#commits.commit()
    return cut.length > 0
  }

  async #addFile(offset: number, file: PlanFile, session: GroupSession): Promise<void> {
    const name = chainName(file.target)
    let running = this.#chains.get(name)
    if (running === undefined) {
      await this.#with.onTopic(file.target.topic)
      running = this.#newChain(file.target, session)
      this.#chains.set(name, running)
    }
    this.#with.onPlanned(file)
    running.add(offset, file)
  }

  /** A planner that closed its run said how many files and records there are: less or more is not what it planned. */
  #checkEnd({ partitions }: PlanEnd): void {
    for (const [name, promised] of Object.entries(partitions)) {
      const running = this.#chains.get(name)
      const error = otherwiseClosed(name, promised, running?.chain)
      if (error === undefined) continue
      if (running === undefined) throw error
      running.fail(error)
    }
  }

  #newChain(target: PlanFile['target'], session: GroupSession): RunningChain {
    const { deps, chains, newChain, onCount, onFailed } = this.#with
    return new RunningChain({
      deps,
      chains,
      progress: this.#progress,
      commits: this.#commits,
      ended: this.#work.ended,
      newChain: onFileDone =>
        newChain(target, {
          ownership: this.#work,
          session,
          onFileDone,
          onCount: count => onCount(target, count),
        }),
      onFailed: error => onFailed(target, error),
    })
  }
}
