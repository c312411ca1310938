import { chainName } from '../format/plan.ts'
import type { PlanEnd, PlanFile, PlanHead } from '../format/plan.ts'
import type { GroupSession, Ownership } from '../kafka/port.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { Aborted, isAborted } from '../runtime/aborted.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Limit } from '../runtime/limit.ts'
import { backoffMs } from '../runtime/retry.ts'
import type { ChainDeps, ChainRestore } from './chain.ts'
import { Patience } from './patience.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'
import { PlanCommits } from './plan-commits.ts'
import type { PlanCommitsDeps } from './plan-commits.ts'
import { closesOtherwise, shortened } from './plan-differs.ts'
import { PlanProgress } from './plan-progress.ts'
import type { RunningChain } from './running-chain.ts'
import { triesAgain, troubleOf } from './trouble.ts'

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
const BACKOFF = { initialMs: 500, maxMs: 15_000 }
/** A chain that makes no progress for so long gives up: the process ends and says so. */
const GIVE_UP_MS = 10 * 60_000

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
    const open = [...this.#chains.values()].filter(({ chain, state }) => state === 'sound' && !chain.isComplete)
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
      for (const running of this.#chains.values()) this.#start(running)
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
    for (const { running, hasBegun } of this.#chains.values()) if (hasBegun) await running
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
    const cut = [...this.#chains.values()].filter(
      ({ chain, state, running }) =>
        state === 'sound' &&
        running === undefined &&
        chain.isComplete &&
        (held.get(chain.target) ?? Infinity) < (before.get(chain.target) ?? 0),
    )
    for (const running of cut) {
      this.#with.deps.log.warn(
        { ...running.chain.target, restored: before.get(running.chain.target), left: held.get(running.chain.target) },
        'the target has lost records that were restored: they are restored again',
      )
      running.chain.lookAgain()
      this.#reopen(running)
      this.#start(running)
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
    running.offsets.push(offset)
    this.#with.onPlanned(file)
    // What comes behind the end of a chain that was put aside is put aside as well.
    if (running.state === 'put aside') this.#progress.finish(offset)
    if (running.state !== 'sound') return
    try {
      running.chain.add(file)
    } catch (error) {
      this.#fail(running, error)
    }
  }

  /** A planner that closed its run said how many files and records there are: less or more is not what it planned. */
  #checkEnd({ partitions }: PlanEnd): void {
    for (const [name, { index, records }] of Object.entries(partitions)) {
      const running = this.#chains.get(name)
      if (running?.chain.files === index + 1 && running.chain.planned === records) continue
      const error = closesOtherwise(name, { index, records }, running?.chain)
      if (running === undefined) throw error
      if (running.state === 'sound') this.#fail(running, error)
    }
  }

  #newChain(target: PlanFile['target'], session: GroupSession): RunningChain {
    const offsets: number[] = []
    const chain = this.#with.newChain(target, {
      ownership: this.#work,
      session,
      onFileDone: ({ index }) => {
        const offset = offsets[index]
        if (offset !== undefined) this.#progress.finish(offset)
        this.#commits.commit()
      },
      onCount: count => this.#with.onCount(target, count),
    })
    return { chain, offsets, running: undefined, hasBegun: false, state: 'sound', reopened: undefined }
  }

  /** Starts a chain that has something to do and is not at it. */
  #start(running: RunningChain): void {
    if (running.running !== undefined || running.state !== 'sound' || running.chain.isComplete) return
    const restore = () => {
      running.hasBegun = true
      return this.#restore(running)
    }
    running.running = this.#with.chains(restore).finally(() => {
      running.running = undefined
      running.hasBegun = false
    })
  }

  async #restore(running: RunningChain): Promise<void> {
    const { deps } = this.#with
    const { chain } = running
    const { ended } = this.#work
    const patience = new Patience(GIVE_UP_MS, 1)
    while (!ended.aborted) {
      try {
        await chain.run()
        return this.#finishReopened(running)
      } catch (error) {
        if (ended.aborted || isAborted(error)) return
        const isOver = patience.isOver(chain.count, deps.clock.monotonic())
        if (!triesAgain(error, patience.attempts, isOver)) return this.#fail(running, error)
        deps.log.warn(
          { topic: chain.target.topic, partition: chain.target.partition, reason: messageOf(error) },
          'cannot go on right now, trying again',
        )
        await deps.clock.sleep(backoffMs(BACKOFF, patience.attempts - 1, deps.random.number), ended)
      }
    }
  }

  #reopen(running: RunningChain): void {
    running.reopened = running.offsets.at(-1)
    if (running.reopened !== undefined) this.#progress.reopen(running.reopened)
  }

  #finishReopened(running: RunningChain): void {
    if (running.reopened === undefined) return
    this.#progress.finish(running.reopened)
    running.reopened = undefined
    this.#commits.commit()
  }

  /** A chain that is put aside does not hold up the plan's offset: what it lacks, its target shows. */
  #fail(running: RunningChain, error: unknown): void {
    running.state = troubleOf(error) === 'quarantine' ? 'put aside' : 'stopped'
    this.#with.onFailed(running.chain.target, error)
    if (running.state === 'stopped') return
    for (const offset of running.offsets) this.#progress.finish(offset)
    this.#commits.commit()
  }
}
