import type { PartitionPlace } from '../../format/keys.ts'
import type { Gap } from '../../format/tile-header.ts'
import type { FetchedPartition } from '../../kafka/port/fetching.ts'
import { FetchPosition } from './fetch-position.ts'
import { Intake } from './intake.ts'
import type { PartitionDeps } from './partition-deps.ts'
import type { TileChain } from '../chain/tile-chain.ts'
import type { BatchFacts } from '../chain/draft-facts.ts'

export interface CursorDeps extends Pick<PartitionDeps, 'context' | 'memory' | 'press' | 'log'> {
  readonly place: PartitionPlace
  /** What was read becomes its tiles. */
  readonly chain: TileChain
}

/** How far one partition was read, and how far it is to be read: what it passes is covered by the tiles of its chain. */
export class PartitionCursor {
  readonly intake: Intake
  readonly #deps: CursorDeps
  readonly #fetch: FetchPosition
  #barrier: number
  #target: number | undefined

  /** `last` is of what lies before the first offset that is read. */
  constructor(last: BatchFacts, barrier: number | undefined, deps: CursorDeps) {
    const { chain, context, memory, press } = deps
    this.#deps = deps
    this.#barrier = barrier ?? Infinity
    this.intake = new Intake(
      chain.end,
      {
        pool: context.pool,
        memory,
        press,
        bounds: () => chain.bounds,
        onBlock: (block, coversTo, onReleased) => chain.add(block, coversTo, this.intake.lastBatch, onReleased),
      },
      last,
    )
    this.#fetch = new FetchPosition(chain.end, last.leaderEpoch)
  }

  get position(): number {
    return this.intake.position
  }

  /** Leader epoch of what lies before it; −1 when unknown. */
  get lastEpoch(): number {
    return this.intake.lastBatch.leaderEpoch
  }

  /** Where the next fetch begins, and the leader epoch of what lies before that. */
  get next(): { readonly offset: number; readonly epoch: number } {
    return { offset: this.#fetch.next, epoch: this.#fetch.epoch }
  }

  /** True when all was fetched that is to be read. */
  get hasEnough(): boolean {
    return this.#fetch.next >= Math.min(this.#barrier, this.#target ?? Infinity)
  }

  /** A tile lies ahead. */
  get barrier(): number {
    return this.#barrier
  }

  /** These came, and will be taken: the next fetch begins behind them. */
  announce(records: Buffer): void {
    this.#fetch.announce(records)
  }

  /** The next fetch begins behind what was really taken. */
  rewind(): void {
    this.#fetch.rewind(this.position, this.lastEpoch)
  }

  /** See Intake.take. */
  take(fetched: FetchedPartition): Promise<number | undefined> {
    return this.intake.take(fetched, this.#barrier)
  }

  /** The position has moved: the tiles cover what it passed. */
  moved(): void {
    this.#deps.chain.covered(this.position)
    this.#closeWhereItEnds()
  }

  /** Moves over offsets that hold nothing. */
  skipTo(end: number): void {
    this.intake.sealOpenBlock()
    this.intake.skipTo(end)
    this.moved()
  }

  /** Nobody can say of which epoch the last record is. */
  forgetEpoch(): void {
    this.intake.skipTo(this.position)
    this.rewind()
  }

  /** Moves over offsets that Kafka no longer has, or only a corrupt copy of, and declares them. */
  declareGap(end: number, reason: Gap['reason']): void {
    const { chain, log } = this.#deps
    const gap = { from: this.position, to: Math.min(end, this.#barrier), reason }
    log.error(
      { ...gap, offsets: gap.to - gap.from },
      reason === 'retention'
        ? 'Kafka no longer has offsets that were not backed up: declaring a gap'
        : 'a batch in Kafka is corrupt: declaring a gap',
    )
    this.intake.sealOpenBlock()
    chain.addGap(gap)
    this.intake.skipTo(gap.to)
    this.rewind()
    this.#closeWhereItEnds()
  }

  /** Reads no further than `target`, and uploads what there is when it is reached. */
  endAt(target: number): void {
    this.#target = target
    this.#closeAtTarget()
  }

  /** Goes on at another place; what was read and not handed over is dropped. */
  moveTo(position: number, barrier: number | undefined): void {
    this.#barrier = barrier ?? Infinity
    this.intake.reset(position)
    this.rewind()
    this.#closeAtTarget()
  }

  /** Has everything taken so far uploaded. */
  close(reason: string): void {
    this.intake.sealOpenBlock()
    this.#deps.chain.close(this.position, reason)
  }

  #closeWhereItEnds(): void {
    if (this.position === this.#barrier) this.close('a file lies ahead')
    this.#closeAtTarget()
  }

  #closeAtTarget(): void {
    if (this.#target !== undefined && this.position >= this.#target) this.close('the end was reached')
  }
}
