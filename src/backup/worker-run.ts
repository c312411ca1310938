import { BlockPress } from '../format/ocf/block-press.ts'
import type { GroupSession } from '../kafka/port/membership.ts'
import type { Progress } from '../observe/progress.ts'
import { Aborted } from '../runtime/aborted.ts'
import type { StopControl } from '../runtime/stop.ts'
import { within } from '../runtime/within.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import { BufferedLog } from './buffered.ts'
import { Committer } from './resume/committer.ts'
import type { DefinitionKeeper } from './topics/definitions.ts'
import type { WorkerContext } from './deps.ts'
import { DiskRoom } from './spool/disk-room.ts'
import { FetchLoops } from './fetch-loops.ts'
import { FlushDesk } from './flush.ts'
import { WorkerGauges } from './gauges.ts'
import { viewOf } from './look-at-worker.ts'
import { makeRoom } from './make-room.ts'
import { WorkerMemory } from './memory.ts'
import { backupMetrics } from './metrics.ts'
import type { OnceTargets } from './once.ts'
import { OnceProgress } from './once-progress.ts'
import type { BackupOptions } from './options.ts'
import { Partitions } from './partition/partitions.ts'
import { SpoolSweep } from './rescue/sweep-spool.ts'
import { BackupTally } from './result.ts'
import { keepDefinitions, watchHeadroom, watchSelection } from './upkeep.ts'
import type { WorkerView } from './view.ts'
import { waitOutTrouble } from './wait-out-trouble.ts'

export interface WorkerRunDeps {
  readonly context: WorkerContext
  readonly options: BackupOptions
  readonly progress: Progress
  /** Undefined for a worker that goes on. */
  readonly targets: OnceTargets | undefined
  readonly session: Promise<GroupSession>
  readonly definitions: DefinitionKeeper
  /** How long members of the group may select different topics before that is told. */
  readonly patienceMs: number
  readonly stop: StopControl
}

const TICK_MS = 500
/** Before anything is read, a worker looks more often whether it can begin: five seconds long, and not while it stands by. */
const FIRST_TICKS = { count: 50, ms: 100 }
/** When the disk is full, what was left of partitions that have not come back by now is the first to go. */
const LEFT_MS = 60_000
/** How long what is left may take to let go at the end. */
const END_MS = 5_000
/** An answer to a fetch may wait for this much, so that trickles do not become thousands of answers. */
const MIN_FETCH_BYTES = 64 * 1024

/** All that works while a backup worker runs: partitions, fetch loops, the clockwork that closes files. */
export class WorkerRun implements AsyncDisposable {
  readonly tally = new BackupTally()
  readonly partitions: Partitions
  readonly flushDesk: FlushDesk
  readonly #deps: WorkerRunDeps
  readonly #room: DiskRoom
  readonly #memory: WorkerMemory
  readonly #sweep: SpoolSweep
  readonly #loops: FetchLoops
  readonly #gauges: WorkerGauges
  readonly #progress: OnceProgress
  readonly #failure = Promise.withResolvers<never>()
  readonly #reading = new AbortController()
  readonly #ticking: Promise<void>
  readonly #defining: Promise<void>
  readonly #watching: Promise<unknown>
  /** Resolves when the definitions of the topics were looked at for the first time. */
  readonly #defined = Promise.withResolvers<void>()

  constructor(deps: WorkerRunDeps) {
    const { context, options, targets, session, progress, stop } = deps
    this.#deps = deps
    this.#failure.promise.catch(() => undefined) // whoever waits for it hears of it
    stop.draining.addEventListener('abort', () => this.#reading.abort(stop.draining.reason))
    const onFatal = (error: unknown) => this.#failure.reject(error)
    const trouble = { context, isOnce: targets !== undefined, stopping: stop.draining, onFatal }
    const memory = new WorkerMemory(options.memory)
    this.#memory = memory
    const press = new BlockPress(options.compressionLevel)
    const metrics = context.metrics.of(backupMetrics)
    this.flushDesk = new FlushDesk({
      clock: context.clock,
      flushAll: () => this.partitions.flush('a flush was asked for'),
      stopped: () => this.tally.stoppedPartitions,
    })
    this.#sweep = new SpoolSweep(context, one => this.tally.notUploaded(one), stop.aborted)
    this.#room = new DiskRoom({
      files: context.spool.files,
      probePath: context.spool.probePath,
      clock: context.clock,
      log: context.log,
      policy: options.onDiskFull,
      relieve: () => {
        this.#sweep.tick(LEFT_MS)
        makeRoom(this.partitions.all)
      },
      onFatal,
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
      onTrouble: (error, ownership) => waitOutTrouble(error, ownership, ownership.ended, trouble),
      onFatal,
      onUploaded: (partition, tile) => this.flushDesk.uploaded(partition, tile),
      onRecords: (topic, records, bytes) => {
        metrics.recordsTotal.add(records, { topic })
        metrics.fetchedBytesTotal.add(bytes, { topic })
      },
    })
    const all = () => this.partitions.all
    const throttle = options.maxRate === undefined ? unthrottled : newThrottle(context.clock, options.maxRate)
    const minBytes = targets === undefined ? MIN_FETCH_BYTES : 1
    const isDiskFull = () => this.#room.isFull
    const loopDeps = { context, memory, throttle, isDiskFull, partitions: all, minBytes, signal: this.#reading.signal }
    this.#loops = new FetchLoops(loopDeps, onFatal)
    this.#gauges = new WorkerGauges(context, memory, this.tally, this.#room)
    this.#progress = new OnceProgress(progress, targets)
    this.#ticking = this.#tick().catch(onFatal)
    const onLooked = () => this.#defined.resolve()
    this.#defining = keepDefinitions(context, session, deps.definitions, onLooked, stop.draining)
    // `--once` tells of both at its end.
    const watching = () => [
      watchHeadroom(context, all, stop.draining),
      watchSelection(context, session, deps.patienceMs, stop.draining),
    ]
    this.#watching = Promise.all(targets === undefined ? watching() : [])
  }

  /** Rejects when the worker as a whole cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** What it is at now. */
  get view(): WorkerView {
    const group = this.#deps.options.groupId
    return viewOf({ group, partitions: this.partitions.all, tally: this.tally, memory: this.#memory, room: this.#room })
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
      this.#sweep.settled(),
    ]
    // Calls of a store, a disk or a cluster that hangs, and does not hear its signal, must not keep a process that was stopped.
    await within(this.#deps.context.clock, END_MS, Promise.allSettled(ended))
    this.#progress[Symbol.dispose]()
    this.#gauges[Symbol.dispose]()
  }

  async #tick(): Promise<void> {
    const { context } = this.#deps
    const buffered = new BufferedLog(context)
    for (let n = 0; !this.#reading.signal.aborted; n++) {
      for (const partition of this.partitions.all) partition.tick()
      buffered.tick(this.partitions.all)
      this.#loops.update()
      this.#room.tick()
      this.#sweep.tick()
      this.#gauges.update([...this.partitions.all])
      this.#progress.update(this.partitions.all)
      const isFirst = n < FIRST_TICKS.count && !this.#loops.hasBegun
      await context.clock.sleep(isFirst ? FIRST_TICKS.ms : TICK_MS, this.#reading.signal)
    }
  }
}
