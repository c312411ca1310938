import { BlockPress } from '../format/ocf/block-press.ts'
import type { GroupSession, Ownership } from '../kafka/port.ts'
import type { Progress } from '../observe/progress.ts'
import { Aborted, aborted } from '../runtime/aborted.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { backoffMs } from '../runtime/retry.ts'
import type { StopControl } from '../runtime/stop.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import { Committer } from './committer.ts'
import type { DefinitionKeeper } from './definitions.ts'
import type { WorkerContext } from './deps.ts'
import { FetchLoops } from './fetch-loops.ts'
import { WorkerGauges } from './gauges.ts'
import { WorkerMemory } from './memory.ts'
import { backupMetrics } from './metrics.ts'
import type { OnceTargets } from './once.ts'
import { OnceProgress } from './once-progress.ts'
import type { BackupOptions } from './options.ts'
import { Partitions } from './partitions.ts'
import { BackupTally } from './result.ts'

export interface WorkerRunDeps {
  readonly context: WorkerContext
  readonly options: BackupOptions
  readonly progress: Progress
  /** Undefined for a worker that goes on. */
  readonly targets: OnceTargets | undefined
  readonly session: Promise<GroupSession>
  readonly definitions: DefinitionKeeper
  readonly stop: StopControl
}

const TICK_MS = 500
const DEFINITIONS_MS = 60_000
const TROUBLE_BACKOFF = { initialMs: 1_000, maxMs: 60_000 }
/** An answer to a fetch may wait for this much, so that trickles do not become thousands of answers. */
const MIN_FETCH_BYTES = 64 * 1024

/** All that works while a backup worker runs: partitions, fetch loops, the clockwork that closes files. */
export class WorkerRun implements AsyncDisposable {
  readonly tally = new BackupTally()
  readonly partitions: Partitions
  readonly #deps: WorkerRunDeps
  readonly #loops: FetchLoops
  readonly #gauges: WorkerGauges
  readonly #progress: OnceProgress
  readonly #failure = Promise.withResolvers<never>()
  readonly #reading = new AbortController()
  readonly #ticking: Promise<void>
  readonly #defining: Promise<void>

  constructor(deps: WorkerRunDeps) {
    const { context, options, targets, session, progress, stop } = deps
    this.#deps = deps
    this.#failure.promise.catch(() => undefined) // whoever waits for it hears of it
    stop.draining.addEventListener('abort', () => this.#reading.abort(stop.draining.reason))
    const memory = new WorkerMemory(options.memory)
    const press = new BlockPress(options.compressionLevel)
    const metrics = context.metrics.of(backupMetrics)
    this.partitions = new Partitions({
      context,
      memory,
      press,
      committer: new Committer(session),
      tally: this.tally,
      options,
      session,
      targetOf: ownership => targets?.ends.get(ownership)?.end,
      onTrouble: (error, ownership) => this.#onTrouble(error, ownership),
      onFatal: error => this.#failure.reject(error),
      onRecords: (topic, records, bytes) => {
        metrics.recordsTotal.add(records, { topic })
        metrics.fetchedBytesTotal.add(bytes, { topic })
      },
    })
    const all = () => this.partitions.all
    const throttle = options.maxRate === undefined ? unthrottled : newThrottle(context.clock, options.maxRate)
    const minBytes = targets === undefined ? MIN_FETCH_BYTES : 1
    const loopDeps = { context, memory, press, throttle, partitions: all, minBytes, signal: this.#reading.signal }
    this.#loops = new FetchLoops(loopDeps, error => this.#failure.reject(error))
    this.#gauges = new WorkerGauges(context, memory, this.tally)
    this.#progress = new OnceProgress(progress, targets)
    this.#ticking = this.#tick()
    this.#defining = this.#define()
  }

  /** Rejects when the worker as a whole cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** Reads no more and lets uploads end, with everything that was read if `flush` says so. */
  async finish(flush: boolean): Promise<void> {
    this.#reading.abort(new Aborted('the worker reads no more'))
    await this.#loops.ended()
    await this.partitions.close(flush)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reading.abort(new Aborted('the worker ends'))
    this.#deps.stop.abort('the worker ends')
    await this.#loops.ended()
    await this.#ticking
    await this.#defining
    await this.partitions.close(false).catch(() => undefined)
    this.#progress[Symbol.dispose]()
    this.#gauges[Symbol.dispose]()
  }

  async #tick(): Promise<void> {
    const { clock } = this.#deps.context
    while (!this.#reading.signal.aborted) {
      for (const partition of this.partitions.all) partition.tick()
      this.#loops.update()
      this.#gauges.update([...this.partitions.all])
      this.#progress.update(this.partitions.all)
      await clock.sleep(TICK_MS, this.#reading.signal)
    }
  }

  async #define(): Promise<void> {
    const { context, stop, session } = this.#deps
    const joined = await Promise.race([session, aborted(stop.draining)])
    if (joined === undefined) return
    while (!stop.draining.aborted) {
      await this.#keepDefinitions(joined)
      await context.clock.sleep(DEFINITIONS_MS, stop.draining)
    }
  }

  /** One of the workers is enough: the one that has the first partition of all. */
  async #keepDefinitions({ selected: [first], owned }: GroupSession): Promise<void> {
    const { definitions, context, stop } = this.#deps
    if (!owned.some(({ topic, partition }) => topic === first?.topic && partition === first.partition)) return
    try {
      await definitions.keep(stop.draining)
    } catch (error) {
      if (!stop.draining.aborted)
        context.log.warn({ err: error }, 'could not keep the topic definitions, trying again later')
    }
  }

  /**
   * A failed upload. What time may heal is tried again for as long as the partition is ours; `--once` gives up where a
   * worker would go on for ever.
   */
  async #onTrouble(error: unknown, ownership: Ownership): Promise<'try again' | 'stop'> {
    const { context, targets } = this.#deps
    context.metrics.of(backupMetrics).troublesTotal.add(1)
    const mayHeal = isMaxbrodError(error, 'STORAGE_UNREACHABLE', 'STORAGE_AUTH', 'STORAGE_REFUSED', 'DISK')
    if (!mayHeal || targets !== undefined) {
      if (mayHeal) this.#failure.reject(error)
      else this.partitions.get(ownership)?.stop(error)
      return 'stop'
    }
    context.log.error(
      { err: error, topic: ownership.topic, partition: ownership.partition },
      'could not upload, trying again',
    )
    await context.clock.sleep(backoffMs(TROUBLE_BACKOFF, 3, context.random.number), ownership.ended)
    return 'try again'
  }
}
