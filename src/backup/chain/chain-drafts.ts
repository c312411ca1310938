import type { Gap } from '../../format/tile-header.ts'
import type { AvroBlock } from '../../format/transcode/avro-block.ts'
import type { BlockBounds } from '../../format/transcode/to-avro.ts'
import type { ChainDeps } from './chain-deps.ts'
import type { BatchFacts } from './draft-facts.ts'
import { NewDrafts } from './new-drafts.ts'
import type { NewDraftsOptions } from './new-drafts.ts'
import { blockBounds, rotate, rotateBefore } from './rotation.ts'
import type { DraftState } from './rotation.ts'
import type { SpooledTile } from '../spool/spooled-tile.ts'
import type { TileDraft } from './tile-draft.ts'

/** A tile to which nothing is added any more. */
export interface ClosedTile {
  readonly draft: TileDraft
  readonly reason: string
  readonly closedAtMs: number
}

export interface DraftsOptions extends NewDraftsOptions {
  /** Where the next tile begins when there is none, and where the last one that is durable does. */
  readonly durable: () => { readonly to: number; readonly lastFrom: number | undefined }
  /** Called when a tile waits for its upload. */
  readonly onClosed: () => void
  readonly deps: NewDraftsOptions['deps'] & Pick<ChainDeps, 'leaderEpoch' | 'lastEpoch' | 'onDiskFull'>
}

/** The tiles of one partition that are not durable: one that is being filled, and those that wait for their upload. */
export class ChainDrafts {
  readonly #options: DraftsOptions
  readonly #new: NewDrafts
  #open: TileDraft | undefined
  #closed: ClosedTile[] = []

  /** Goes on with what an earlier owner of the spool has left. */
  constructor(options: DraftsOptions, spooled: readonly SpooledTile[]) {
    this.#options = options
    this.#new = new NewDrafts(options, {
      onSpooled: () => this.#rotateByContent(),
      // Its upload comes upon the failure, and goes on from there.
      onFailed: draft => (this.#open === draft ? this.close(draft.to, 'the spool failed') : undefined),
      onDiskFull: (draft, error) => this.#diskFull(draft, error),
    })
    for (const tile of spooled) this.#resume(tile)
  }

  /** The offset behind all that is durable or on its way there. */
  get end(): number {
    return this.#open?.to ?? this.#closed.at(-1)?.draft.to ?? this.#options.durable().to
  }

  get all(): TileDraft[] {
    return [...this.#closed.map(({ draft }) => draft), ...(this.#open === undefined ? [] : [this.#open])]
  }

  /** The next one to upload. */
  get first(): ClosedTile | undefined {
    return this.#closed[0]
  }

  get waiting(): number {
    return this.#closed.length
  }

  get openBytes(): number {
    return this.#open?.spool.bytes ?? 0
  }

  /** Age of the tile that is being filled, in ms; 0 when there is none. */
  get ageMs(): number {
    return this.#open === undefined ? 0 : this.#nowMs - this.#open.openedAtMs
  }

  /** Age of the oldest tile, in ms; 0 when there is none. */
  get oldestAgeMs(): number {
    const [oldest] = this.all
    return oldest === undefined ? 0 : this.#nowMs - oldest.openedAtMs
  }

  /** What the next block may hold. */
  get bounds(): BlockBounds {
    return blockBounds(this.#open, this.#options.limits)
  }

  /** Takes a finished block, whose records lie below `coversTo`. */
  add(block: AvroBlock, coversTo: number, batch: BatchFacts, onReleased: () => void): void {
    const { limits, deps } = this.#options
    if (this.#open !== undefined) {
      const reason = rotateBefore(this.#open, block, limits)
      if (reason !== undefined) this.close(this.#open.to, reason)
    }
    this.#opened().add(block, coversTo, batch, deps.leaderEpoch(), onReleased)
    this.#rotateByContent()
  }

  /** Declares offsets that Kafka no longer has. They begin a tile of their own, so what came before is closed first. */
  addGap(gap: Gap): void {
    this.close(gap.from, 'a gap follows')
    this.#opened().addGap(gap)
  }

  /** Notes that everything below `position` was read: a tile that covers it begins to age, records or not. */
  covered(position: number): void {
    if (position > this.end) this.#opened()
  }

  /** Closes the tile when it is due; `position` is what it covers if nothing is open in front of it. */
  rotate(position: number, hasOpenBlock: boolean): void {
    const draft = this.#open
    if (draft === undefined) return
    const to = hasOpenBlock ? draft.to : position
    const reason = rotate(stateOf(draft, to, this.ageMs), this.#options.limits)
    if (reason !== undefined) this.close(to, reason)
  }

  /** Gives back what the tile that is being filled holds in memory and open files: nothing comes for a while. */
  rest(): void {
    this.#open?.rest()
  }

  /** Completes the tile that is being filled, up to `to`, and has it uploaded. */
  close(to: number, reason: string): void {
    this.covered(to)
    const draft = this.#open
    if (draft === undefined) return
    this.#open = undefined
    const { lastEpoch, leaderEpoch } = this.#options.deps
    if (to > draft.to) draft.cover(to, lastEpoch())
    draft.close(reason, leaderEpoch())
    this.#closed.push({ draft, reason, closedAtMs: this.#nowMs })
    this.#options.onClosed()
  }

  /** The first one is durable. */
  uploaded(): void {
    this.#closed.shift()
  }

  /** Lets go of all of them, and returns them. */
  drop(): TileDraft[] {
    const drafts = this.all
    this.#closed = []
    this.#open = undefined
    return drafts
  }

  get #nowMs(): number {
    return this.#options.deps.context.clock.monotonic()
  }

  #opened(): TileDraft {
    const lastFrom = this.#closed.at(-1)?.draft.from ?? this.#options.durable().lastFrom
    return (this.#open ??= this.#new.begin(this.end, lastFrom))
  }

  #resume(tile: SpooledTile): void {
    const draft = this.#new.resume(tile)
    const closedAtMs = this.#nowMs
    const closed = tile.notes.findLast(note => note.kind === 'closed')
    const open = this.#open
    if (open !== undefined) this.#closed.push({ draft: open, reason: 'another one follows', closedAtMs })
    this.#open = closed === undefined ? draft : undefined
    if (closed !== undefined) this.#closed.push({ draft, reason: closed.reason, closedAtMs })
  }

  /** The tile that found no room is complete: the rest of it is in memory, and its upload gives both back. */
  #diskFull(full: TileDraft, error: unknown): void {
    if (this.#open === full) this.close(full.to, 'the disk is full')
    this.#options.deps.onDiskFull(error)
  }

  #rotateByContent(): void {
    const draft = this.#open
    if (draft === undefined) return
    const reason = rotate(stateOf(draft, draft.to, 0), this.#options.limits)
    if (reason !== undefined) this.close(draft.to, reason)
  }
}

function stateOf({ from, records, spool, bytesAtMost }: TileDraft, to: number, ageMs: number): DraftState {
  return { spooledBytes: spool.bytes, bytesAtMost, records, coveredOffsets: to - from, ageMs }
}
