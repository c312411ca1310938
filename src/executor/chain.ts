import { readFileHeader } from '../catalog/tile-header-reader.ts'
import type { ReadingLimits } from '../catalog/tile-blocks.ts'
import type { BatchCodec } from '../format/batch/record-batch.ts'
import { parseTileKey } from '../format/keys.ts'
import type { PlanFile } from '../format/plan.ts'
import type { FilledBatch } from '../format/transcode/to-batches.ts'
import { must } from '../runtime/assert.ts'
import type { ByteBudget } from '../runtime/byte-budget.ts'
import { readChain } from './chain-source.ts'
import type { SourceItem } from './chain-source.ts'
import { recordsOf, resumeAt } from './resume.ts'
import { TargetLog } from './target-log.ts'
import type { TargetLogDeps } from './target-log.ts'
import type { Targets } from './targets.ts'

export interface ChainDeps extends TargetLogDeps {
  readonly targets: Targets
  readonly budget: ByteBudget
  readonly maxRecordBytes: number
  /** All records of the file are in the target, and the file was whole. */
  readonly onFileDone: (file: PlanFile) => void
  /** How many records of the chain are in the target. */
  readonly onCount: (count: number) => void
}

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
  #isLookedAt = false

  constructor(target: PlanFile['target'], deps: ChainDeps) {
    this.target = target
    this.#with = deps
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
    return this.#isLookedAt && this.#count === this.planned
  }

  /** Adds the next file of the plan. */
  add(file: PlanFile): void {
    this.#files.push(file)
  }

  /** Restores all files that are known, also those added meanwhile; resolves when the target holds all of them. */
  async run(): Promise<void> {
    const { targets, ownership } = this.#with
    const facts = await targets.inspect(this.target.topic)
    const baseOffset = targets.baseOffset(this.target.topic, this.target.partition)
    const log = new TargetLog(
      { ...this.target, baseOffset, producerId: targets.producerId, maxBatchBytes: facts.maxBatchBytes },
      this.#with,
    )
    this.#batchBytes = Math.min(this.#batchBytes, facts.maxBatchBytes)
    for (;;) {
      ownership.ended.throwIfAborted()
      const progress = await log.look()
      this.#isLookedAt = true
      this.#setCount(progress.count)
      const verdict = resumeAt(this.#files, progress)
      if (verdict.kind === 'spoiled') throw log.spoiled(verdict.reason)
      this.#markDone(verdict.kind === 'complete' ? Infinity : verdict.index)
      if (verdict.kind === 'complete') return
      if (verdict.skip === 0) await this.#checkBoundary(verdict.index, progress.tailSourceOffset, log)
      const outcome = await this.#stream(log, verdict.index, verdict.skip, progress.tailSourceOffset, facts.codec)
      if (outcome === 'smaller') this.#batchBytes = Math.max(1, Math.floor(this.#batchBytes / 2))
      else if (outcome === 'look again') await targets.inspect(this.target.topic)
    }
  }

  /** Sends the files from `index` on; ends early when the log must be read again. */
  async #stream(
    log: TargetLog,
    index: number,
    skip: number,
    tailSourceOffset: number | undefined,
    codec: BatchCodec | undefined,
  ): Promise<'done' | 'look again' | 'smaller'> {
    const { onFileDone } = this.#with
    const source = readChain(
      this.#files.filter(file => file.index >= index),
      this.#sourceOptions(skip, tailSourceOffset),
    )
    let next = prefetch(source)
    try {
      for (;;) {
        const item = await next
        if (item === undefined) return 'done'
        next = prefetch(source) // decoded while this one is on its way
        if (item.kind === 'end of file') onFileDone(item.file)
        else {
          const outcome = await sendAll(log, item.batches, codec ?? item.codec)
          this.#setCount(log.count)
          if (outcome !== 'appended') return outcome
        }
      }
    } finally {
      const last = await next.catch(() => undefined)
      if (last?.kind === 'batches') for (const { builder } of last.batches) builder.release()
      await source.return(undefined)
    }
  }

  #sourceOptions(skip: number, tailSourceOffset: number | undefined): Parameters<typeof readChain>[1] {
    const { deps, budget, maxRecordBytes, ownership } = this.#with
    const limits: ReadingLimits = { pool: deps.pool, budget, maxRecordBytes, signal: ownership.ended }
    return { store: deps.store, limits, batchBytes: this.#batchBytes, skip, tailSourceOffset }
  }

  /** At the border of two files the last record in the target must be the last one of the file before. */
  async #checkBoundary(index: number, tailSourceOffset: number | undefined, log: TargetLog): Promise<void> {
    const before = this.#files.find(file => file.index === index - 1 && file.records > 0)
    if (before === undefined || before.slice !== undefined) return
    const { key, etag } = before.object
    const place = must(parseTileKey(key), `the place of ${key}`)
    const header = await readFileHeader(this.#with.deps.store, key, place, etag, this.#with.ownership.ended)
    const lastOffset = header.kind === 'maxbrod' ? header.tile.content.lastOffset : undefined
    if (lastOffset !== undefined && lastOffset !== tailSourceOffset) {
      throw log.spoiled(`its last record has source offset ${tailSourceOffset}, where ${lastOffset} must stand`)
    }
  }

  #setCount(count: number): void {
    this.#count = count
    this.#with.onCount(count)
  }

  #markDone(beforeIndex: number): void {
    for (const file of this.#files) if (file.index < beforeIndex) this.#with.onFileDone(file)
  }
}

function prefetch(source: AsyncGenerator<SourceItem, void>): Promise<SourceItem | undefined> {
  const next = source.next().then(result => (result.done === true ? undefined : result.value))
  next.catch(() => undefined) // looked at when its turn comes
  return next
}

async function sendAll(
  log: TargetLog,
  batches: readonly FilledBatch[],
  codec: BatchCodec,
): Promise<'appended' | 'look again' | 'smaller'> {
  for (const [index, batch] of batches.entries()) {
    let outcome: 'appended' | 'look again' | 'smaller' = 'look again'
    try {
      outcome = await log.append(batch, codec)
    } finally {
      if (outcome !== 'appended') for (const { builder } of batches.slice(index + 1)) builder.release()
    }
    if (outcome !== 'appended') return outcome
  }
  return 'appended'
}
