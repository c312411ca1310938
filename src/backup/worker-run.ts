import { BlockPress } from '../format/ocf/block-press.ts'
import type { GroupSession } from '../kafka/port.ts'
import type { Progress } from '../observe/progress.ts'
import { Aborted, unlessAborted } from '../runtime/aborted.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { backoffMs } from '../runtime/retry.ts'
import type { StopControl } from '../runtime/stop.ts'
import { within } from '../runtime/within.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { BufferedLog } from './buffered.ts'
import { Committer } from './committer.ts'
import type { DefinitionKeeper } from './definitions.ts'
import type { WorkerContext } from './deps.ts'
import { DiskRoom } from './disk-room.ts'
import { FetchLoops } from './fetch-loops.ts'
import { FlushDesk } from './flush.ts'
import { WorkerGauges } from './gauges.ts'
import { HeadroomWatch } from './headroom.ts'
import { makeRoom } from './make-room.ts'
import { WorkerMemory } from './memory.ts'
import { backupMetrics } from './metrics.ts'
import type { OnceTargets } from './once.ts'
import { OnceProgress } from './once-progress.ts'
import type { BackupOptions } from './options.ts'
import type { Verdict } from './partition-deps.ts'
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
/** When the disk is full, what was left of partitions that have not come back by now is the first to go. */
const LEFT_MS = 60_000
const DEFINITIONS_MS = 60_000
/** Between two looks at what retention leaves. The first one comes when partitions know what is durable of them. */
const HEADROOM_MS = 60_000
const FIRST_HEADROOM_MS = 10_000
/** How long what is left may take to let go at the end. */
const END_MS = 5_000
const TROUBLE_BACKOFF = { initialMs: 1_000, maxMs: 60_000 }
/** An answer to a fetch may wait for this much, so that trickles do not become thousands of answers. */
const MIN_FETCH_BYTES = 64 * 1024

/** All that works while a backup worker runs: partitions, fetch loops, the clockwork that closes files. */
export class WorkerRun implements AsyncDisposable {
  readonly tally = new BackupTally()
  readonly partitions: Partitions
  readonly flushDesk: FlushDesk
  readonly #deps: WorkerRunDeps
  readonly #room: DiskRoom
  readonly #loops: FetchLoops
  readonly #gauges: WorkerGauges
  readonly #progress: OnceProgress
  readonly #failure = Promise.withResolvers<never>()
  readonly #reading = new AbortController()
  readonly #ticking: Promise<void>
  readonly #defining: Promise<void>
  readonly #watching: Promise<void>
  /** Resolves when the definitions of the topics were looked at for the first time. */
  readonly #defined = Promise.withResolvers<void>()

  constructor(deps: WorkerRunDeps) {
    const { context, options, targets, session, progress, stop } = deps
    this.#deps = deps
    this.#failure.promise.catch(() => undefined) // whoever waits for it hears of it
    stop.draining.addEventListener('abort', () => this.#reading.abort(stop.draining.reason))
    const memory = new WorkerMemory(options.memory)
    const press = new BlockPress(options.compressionLevel)
    const metrics = context.metrics.of(backupMetrics)
    this.flushDesk = new FlushDesk({
      clock: context.clock,
      flushAll: () => this.partitions.flush('a flush was asked for'),
      stopped: () => this.tally.stoppedPartitions,
    })
    this.#room = new DiskRoom({
      files: context.spool.files,
      probePath: context.spool.probePath,
      clock: context.clock,
      log: context.log,
      policy: options.onDiskFull,
      relieve: () => {
        void context.spool.sweep(LEFT_MS)
        makeRoom(this.partitions.all)
      },
      onFatal: error => this.#failure.reject(error),
    })
    this.partitions = new Partitions({
      context,
      room: this.#room,
      memory,
      press,
      committer: new Committer(session, context.clock),
      tally: this.tally,
      options,
      session,
      targetOf: ownership => targets?.ends.get(ownership)?.end,
      onTrouble: (error, { topic, partition, ended }) => this.#onTrouble(error, { topic, partition }, ended),
      onFatal: error => this.#failure.reject(error),
      onUploaded: (partition, tile) => this.flushDesk.uploaded(partition, tile),
      onRecords: (topic, records, bytes) => {
        metrics.recordsTotal.add(records, { topic })
        metrics.fetchedBytesTotal.add(bytes, { topic })
      },
    })
    const all = () => this.partitions.all
    const throttle = options.maxRate === undefined ? unthrottled : newThrottle(context.clock, options.maxRate)
    const minBytes = targets === undefined ? MIN_FETCH_BYTES : 1
    const loopDeps = { context, memory, throttle, partitions: all, minBytes, signal: this.#reading.signal }
    this.#loops = new FetchLoops(loopDeps, error => this.#failure.reject(error))
    this.#gauges = new WorkerGauges(context, memory, this.tally, this.#room)
    this.#progress = new OnceProgress(progress, targets)
    this.#ticking = this.#tick().catch((error: unknown) => this.#failure.reject(error))
    this.#defining = this.#define()
    this.#watching = this.#watchHeadroom()
  }

  /** Rejects when the worker as a whole cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** Reads no more and lets uploads end, with everything that was read if `flush` says so. */
  async finish(flush: boolean): Promise<void> {
    this.#reading.abort(new Aborted('the worker reads no more'))
    await this.#loops.ended()
    this.#progress.update(this.partitions.all)
    await this.partitions.close(flush)
    if (this.#deps.targets !== undefined) await this.#defined.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reading.abort(new Aborted('the worker ends'))
    this.#deps.stop.abort('the worker ends')
    const ended = [
      this.#loops.ended(),
      this.#ticking,
      this.#defining,
      this.#watching,
      this.partitions.close(false),
      this.#room.settled(),
    ]
    // Calls of a store, a disk or a cluster that hangs, and does not hear its signal, must not keep a process that was stopped.
    await within(this.#deps.context.clock, END_MS, Promise.allSettled(ended))
    this.#progress[Symbol.dispose]()
    this.#gauges[Symbol.dispose]()
  }

  async #tick(): Promise<void> {
    const { context } = this.#deps
    const buffered = new BufferedLog(context)
    while (!this.#reading.signal.aborted) {
      for (const partition of this.partitions.all) partition.tick()
      buffered.tick(this.partitions.all)
      this.#loops.update()
      this.#room.tick()
      void context.spool.sweep()
      this.#gauges.update([...this.partitions.all])
      this.#progress.update(this.partitions.all)
      await context.clock.sleep(TICK_MS, this.#reading.signal)
    }
  }

  async #watchHeadroom(): Promise<void> {
    const { context, stop, targets } = this.#deps
    if (targets !== undefined) return // `--once` tells of gaps at its end
    const watch = new HeadroomWatch(context)
    await context.clock.sleep(FIRST_HEADROOM_MS, stop.draining)
    while (!stop.draining.aborted) {
      await watch.look(this.partitions.all, stop.draining)
      await context.clock.sleep(HEADROOM_MS, stop.draining)
    }
  }

  async #define(): Promise<void> {
    const { context, stop, session } = this.#deps
    using _ = { [Symbol.dispose]: () => this.#defined.resolve() }
    const joined = await unlessAborted(session, stop.draining)
    if (joined === undefined) return
    while (!stop.draining.aborted) {
      await this.#keepDefinitions(joined)
      this.#defined.resolve()
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
   * A partition that could not be started, or a failed upload. What time may heal is tried again for as long as the partition
   * is ours; `--once` gives up where a worker would go on for ever, and so does a worker that was asked to stop.
   */
  async #onTrouble(error: unknown, partition: TopicPartition, ended: AbortSignal): Promise<Verdict> {
    const { context, targets, stop } = this.#deps
    context.metrics.of(backupMetrics).troublesTotal.add(1)
    const isOurs = isMaxbrodError(error, 'STORAGE_UNREACHABLE', 'STORAGE_AUTH', 'STORAGE_REFUSED', 'DISK')
    const isKafkas = isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')
    if (!isOurs && !isKafkas) return 'stop'
    if (targets !== undefined) {
      // Without the store nothing can be backed up; a partition without a leader is one of many.
      if (isKafkas) return 'stop'
      this.#failure.reject(error)
      return 'give up'
    }
    if (stop.draining.aborted) {
      context.log.warn({ err: error, ...partition }, 'could not upload; Kafka still has what was read')
      return 'give up'
    }
    context.log.error({ err: error, ...partition }, 'cannot back up for the moment, trying again')
    const waitMs = backoffMs(TROUBLE_BACKOFF, 3, context.random.number)
    await context.clock.sleep(waitMs, AbortSignal.any([ended, stop.draining]))
    return 'try again'
  }
}
