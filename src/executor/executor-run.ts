import type { GroupSession, Ownership } from '../kafka/port/membership.ts'
import type { PlanFile, PlanHead } from '../format/plan.ts'
import { Aborted, isAborted } from '../runtime/aborted.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { within } from '../runtime/within.ts'
import type { PlanCount } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import { watchHold } from './hold-watch.ts'
import { executorMetrics } from './metrics.ts'
import type { ExecutorOptions } from './options.ts'
import { resized } from './plan-reader.ts'
import { PlanRun } from './plan-run.ts'
import { watchPlanTopic } from './plan-watch.ts'
import { RestoreProgress } from './restore-progress.ts'
import { SharedMeans } from './shared-means.ts'
import { Targets } from './targets.ts'
import { troubleOf } from './trouble.ts'
import { markText } from './verify-marks.ts'
import type { VerifyMark } from './verify-marks.ts'
import { failuresOf } from './view.ts'
import type { ExecutorView } from './view.ts'

/** How long batches on their way may still be answered when a plan partition moves to another executor. */
const HAND_OVER_MS = 5_000

/** All that works while an executor runs: its plan partitions, their chains, and who watches over them. */
export class ExecutorRun implements AsyncDisposable {
  /** Chains that cannot go on, and why. */
  readonly failed = new PartitionMap<unknown>()
  /** By plan partition: who has read its chains back. */
  readonly marks = new Map<number, VerifyMark>()
  /** Of this executor, for the others. */
  readonly name: string
  readonly targets: Targets
  readonly #deps: ExecutorDeps
  readonly #options: ExecutorOptions
  readonly #session: Promise<GroupSession>
  readonly #means: SharedMeans
  readonly #progress: RestoreProgress
  readonly #scrape: Disposable
  readonly #end = new AbortController()
  readonly #failure = Promise.withResolvers<never>()
  readonly #runs = new Map<Ownership, PlanRun>()
  readonly #watching: Promise<void>

  constructor(
    deps: ExecutorDeps,
    options: ExecutorOptions,
    heads: readonly PlanHead[],
    session: Promise<GroupSession>,
  ) {
    this.#deps = deps
    this.#options = options
    this.name = options.workerName ?? deps.random.id().slice(0, 8)
    this.#session = session
    this.targets = new Targets(deps.kafka, heads)
    this.#means = new SharedMeans(deps, options, this.targets)
    this.#progress = new RestoreProgress(deps.progress, deps.metrics)
    this.#scrape = deps.metrics.beforeScrape(() => this.#setGauges())
    this.#failure.promise.catch(() => undefined) // whoever waits for it hears of it
    this.#watching = this.#watch()
  }

  /** Records that were acknowledged to this executor. */
  get recordsSent(): number {
    return this.#means.recordsSent
  }

  /** What it is at now. */
  get view(): ExecutorView {
    return {
      planTopic: this.#options.planTopic,
      executor: this.name,
      planPartitions: this.#runs.size,
      targets: this.#progress.targets,
      failed: failuresOf(this.failed),
      recordsSent: this.recordsSent,
    }
  }

  /** Rejects when the executor as a whole cannot go on. */
  get broken(): Promise<never> {
    return this.#failure.promise
  }

  /** The first failure of a chain that forbids to go on. */
  get stoppedBy(): unknown {
    return [...this.failed.values()].find(error => troubleOf(error) !== 'quarantine')
  }

  start(ownerships: readonly Ownership[]): void {
    const { head } = this.targets
    const beyond = ownerships.find(({ partition }) => partition >= head.planPartitions)
    if (beyond !== undefined) this.#failure.reject(resized(this.#options.planTopic, beyond.partition + 1, head))
    for (const ownership of ownerships) {
      const run = this.#newRun(ownership)
      this.#runs.set(ownership, run)
      run.run().catch((error: unknown) => {
        if (!ownership.ended.aborted && !isAborted(error)) this.#failure.reject(error)
      })
    }
  }

  /** Gives plan partitions up, behind the batches that are on their way: their next owner looks at the targets. */
  async handOver(ownerships: readonly Ownership[]): Promise<void> {
    const yielding = ownerships.map(async ownership => this.#runs.get(ownership)?.yield())
    await within(this.#deps.clock, HAND_OVER_MS, Promise.all(yielding))
    this.drop(ownerships)
  }

  drop(ownerships: readonly Ownership[]): void {
    for (const ownership of ownerships) this.#runs.delete(ownership)
  }

  /** Resolves when no chain of this executor is at work. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(run => run.settled()))
  }

  /** True for a target partition of which this executor has the plan. */
  isOwn(target: TopicPartition): boolean {
    return [...this.#runs.values()].some(run => run.has(target))
  }

  /** Records that the targets of this executor are known to hold. */
  counts(): PartitionMap<number> {
    return new PartitionMap([...this.#runs.values()].flatMap(run => [...run.counts()]))
  }

  /**
   * Restores again what targets have lost behind the commit: true when there is such a chain of this executor. `before` was
   * taken before the targets were counted, or records that came meanwhile would be missed in them.
   */
  mend(before: PartitionMap<number>, counts: readonly PlanCount[]): boolean {
    const held = new PartitionMap(counts.map(count => [count, count.held] as const))
    return [...this.#runs.values()].map(run => run.mend(before, held)).includes(true)
  }

  /** Lets go of everything; batches that are on their way may still be answered for a moment. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Aborted('the executor ends'))
    await this.handOver([...this.#runs.keys()])
    await within(this.#deps.clock, HAND_OVER_MS, this.#watching) // it may be asking a cluster that is away
    this.#means[Symbol.dispose]()
    this.#progress[Symbol.dispose]()
    this.#scrape[Symbol.dispose]()
  }

  #newRun(ownership: Ownership): PlanRun {
    return new PlanRun(ownership, {
      deps: this.#deps,
      session: this.#session,
      planTopic: this.#options.planTopic,
      head: this.targets.head,
      chains: this.#means.turns,
      noteOf: partition => {
        const mark = this.marks.get(partition)
        return mark === undefined ? '' : markText(mark)
      },
      newChain: (target, part) => this.#means.newChain(target, part),
      onPlanned: file => this.#progress.planned(file),
      onCount: (target, count) => this.#progress.counted(target, count),
      onFailed: (target, error) => this.#onFailed(target, error),
      onTopic: topic => this.targets.meet([topic], this.#options.planTopic, this.#end.signal),
      onBroken: error => this.#failure.reject(error),
    })
  }

  async #watch(): Promise<void> {
    const { clock, kafka } = this.#deps
    const { signal } = this.#end
    const topics = () => new Set([...this.#runs.values()].flatMap(run => run.unfinishedTopics))
    const watches = [
      watchHold(this.targets, topics, clock, signal),
      watchPlanTopic(kafka, this.#options.planTopic, this.targets.head, clock, signal),
    ]
    const fail = (error: unknown) => (error === undefined ? undefined : this.#failure.reject(error))
    await Promise.all(watches.map(watch => watch.then(fail)))
  }

  #onFailed(target: PlanFile['target'], error: unknown): void {
    this.failed.set(target, error)
    const what = troubleOf(error) === 'quarantine' ? 'put aside, the other partitions go on' : 'stopped'
    this.#deps.log.error({ ...target, err: error }, `${partitionName(target)}: ${what}`)
  }

  #setGauges(): void {
    const metrics = this.#deps.metrics.of(executorMetrics)
    metrics.assignedPlanPartitions.set(this.#runs.size)
    metrics.stoppedChains.set(this.failed.size)
    metrics.memoryBytes.set(this.#means.usedBytes)
  }
}
