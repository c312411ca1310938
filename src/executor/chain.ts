import { chainName } from '../format/plan.ts'
import type { PlanFile } from '../format/plan.ts'
import type { ByteBudget } from '../runtime/byte-budget.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { readChain } from './chain-source.ts'
import type { SourceBatches, SourceItem } from './chain-source.ts'
import { Patience } from './patience.ts'
import { recordsOf, resumeAt } from './resume.ts'
import type { GoOn, ResumeVerdict, TargetProgress } from './resume.ts'
import { TargetLog } from './target-log.ts'
import type { Appended, TargetLogDeps } from './target-log.ts'
import type { TargetFacts, Targets } from './targets.ts'

export interface ChainDeps extends TargetLogDeps {
  readonly targets: Targets
  readonly budget: ByteBudget
  readonly maxRecordBytes: number
  /** All records of the file are in the target, and the file was whole. Called once for each file, in order. */
  readonly onFileDone: (file: PlanFile) => void
  /** How many records of the chain are in the target. */
  readonly onCount: (count: number) => void
}

/** So long and so often a target may take nothing, and be looked at again, before that is said. */
const PATIENCE_MS = 60_000
const PATIENCE_ATTEMPTS = 5

/**
 * Restores the files of one target partition in order. The target's log says where to go on; a crash at any moment is mended
 * by whoever looks at it next.
 */
export class ChainRestore {
  readonly target: PlanFile['target']
  readonly #files: PlanFile[] = []
  readonly #with: ChainDeps
  #batchBytes = Infinity
  #count = 0
  #filesDone = 0
  #isLookedAt = false

  constructor(target: PlanFile['target'], deps: ChainDeps) {
    this.target = target
    this.#with = deps
  }

  /** Files planned so far. */
  get files(): number {
    return this.#files.length
  }

  /** Records planned so far. */
  get planned(): number {
    return recordsOf(this.#files)
  }

  /** Records of the chain in the target, as far as known. */
  get count(): number {
    return this.#count
  }

  /** True when the target is known to hold all files that were added. */
  get isComplete(): boolean {
    return this.#isLookedAt && this.#count === this.planned && this.#filesDone === this.#files.length
  }

  /** What is known of the target is old: `run` reads where it ends. */
  lookAgain(): void {
    this.#isLookedAt = false
  }

  /** Adds the next file of the plan. Throws PLAN_CORRUPT for another one. */
  add(file: PlanFile): void {
    if (file.index !== this.#files.length || file.recordsBefore !== this.planned) {
      throw new MaxbrodError('PLAN_CORRUPT', `file ${file.index} of ${chainName(this.target)} is not the next one`, {
        ...this.target,
        key: file.object.key,
        hint: 'plan again into a new --plan-topic',
      })
    }
    this.#files.push(file)
  }

  /**
   * Restores all files that are known, also those added meanwhile; resolves when the target holds all of them. Throws
   * KAFKA_GAVE_UP when it takes nothing for a while.
   */
  async run(): Promise<void> {
    const { deps, targets, ownership } = this.#with
    const { topic, partition } = this.target
    const where = { topicId: targets.topicId(topic), baseOffset: targets.baseOffset(topic, partition) }
    const log = new TargetLog({ ...this.target, ...where, producerId: targets.producerId }, this.#with)
    const patience = new Patience(PATIENCE_MS, PATIENCE_ATTEMPTS)
    for (;;) {
      ownership.ended.throwIfAborted()
      const facts = await targets.inspect(this.target.topic)
      const progress = await log.look()
      this.#isLookedAt = true
      this.#setCount(progress.count)
      const verdict = resumeAt(this.#files, progress)
      if (verdict.kind === 'spoiled') throw log.spoiled(verdict.reason, verdict.record)
      this.#checkBorder(verdict, progress, log)
      this.#markDone(verdict.kind === 'complete' ? this.#files.length : verdict.index)
      if (verdict.kind === 'complete') return
      await targets.open(facts)
      const outcome = await this.#stream(log, verdict, progress, facts)
      if (outcome === 'smaller') this.#batchBytes = Math.max(1, Math.floor(this.#batchLimit(facts) / 2))
      if (outcome !== 'appended' && patience.isOver(log.count, deps.clock.monotonic())) throw log.gaveUp()
    }
  }

  /** Sends the files from the verdict's on; ends early when the log must be read again. */
  async #stream(
    log: TargetLog,
    { index, skip }: GoOn,
    { tailSourceOffset }: TargetProgress,
    facts: TargetFacts,
  ): Promise<Appended> {
    const { deps, budget, throttle, maxRecordBytes, ownership } = this.#with
    const source = readChain(this.#files.slice(index), {
      store: deps.store,
      limits: { pool: deps.pool, budget, maxRecordBytes, signal: ownership.ended },
      batchBytes: this.#batchLimit(facts),
      tail: { skip, sourceOffset: tailSourceOffset, spoiled: reason => log.spoiled(reason, this.#count - 1) },
    })
    let next = prefetch(source)
    const what = `reading the files of ${partitionName(this.target)}`
    // What others hold of the memory while they are kept to a rate is not there for this one.
    const options = { isExcused: () => throttle.isHolding }
    try {
      for (;;) {
        const item = await deps.vitals.during(what, () => next, options)
        if (item === undefined) return 'appended'
        next = prefetch(source) // decoded while this one is on its way
        if (item.kind === 'end of file') {
          // The last file counts when the end of the target was read back: with it, others may call the restore done.
          if (item.file.index + 1 < this.#files.length) this.#markDone(item.file.index + 1)
        } else {
          using _ = item
          const outcome = await sendAll(log, item, facts).finally(() => this.#setCount(log.count))
          if (outcome !== 'appended') return outcome
        }
      }
    } finally {
      const last = await next.catch(() => undefined)
      if (last?.kind === 'batches') {
        for (const { builder } of last.batches) builder.release()
        last[Symbol.dispose]()
      }
      await source.return(undefined)
    }
  }

  #batchLimit({ maxBatchBytes }: TargetFacts): number {
    return Math.min(this.#batchBytes, maxBatchBytes)
  }

  /** At the border of two files, and at the end, the last record in the target must be the last one of the file before. */
  #checkBorder(verdict: ResumeVerdict, { tailSourceOffset }: TargetProgress, log: TargetLog): void {
    if (verdict.kind === 'go on' && verdict.skip > 0) return
    const index = verdict.kind === 'go on' ? verdict.index : this.#files.length
    const lastOffset = this.#files.findLast(file => file.index < index && file.records > 0)?.lastOffset
    if (lastOffset === undefined || lastOffset === tailSourceOffset) return
    const reason = `its last record has source offset ${tailSourceOffset}, where ${lastOffset} must stand`
    throw log.spoiled(reason, this.#count - 1)
  }

  #setCount(count: number): void {
    this.#count = count
    this.#with.onCount(count)
  }

  /** Tells of the files below `index` that are done and were not told of. A target that lost records does not undo that. */
  #markDone(index: number): void {
    for (; this.#filesDone < index; this.#filesDone++) {
      const file = this.#files[this.#filesDone]
      if (file !== undefined) this.#with.onFileDone(file)
    }
  }
}

function prefetch(source: AsyncGenerator<SourceItem, void>): Promise<SourceItem | undefined> {
  const next = source.next().then(result => (result.done === true ? undefined : result.value))
  next.catch(() => undefined) // looked at when its turn comes
  return next
}

async function sendAll(log: TargetLog, { batches, codec }: SourceBatches, facts: TargetFacts): Promise<Appended> {
  for (const [index, batch] of batches.entries()) {
    let outcome: Appended = 'look again'
    try {
      outcome = await log.append(batch, facts.codec ?? codec, facts.maxBatchBytes)
    } finally {
      if (outcome !== 'appended') for (const { builder } of batches.slice(index + 1)) builder.release()
    }
    if (outcome !== 'appended') return outcome
  }
  return 'appended'
}
