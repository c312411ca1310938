import type { Ownership } from '../../kafka/port/membership.ts'
import type { PartitionCursor } from './partition-cursor.ts'

/** Whether the reading of a partition goes on, and whether Kafka's log was found to be the one that was read before. */
export class ReadingState {
  readonly #cursor: Pick<PartitionCursor, 'position' | 'lastEpoch' | 'hasEnough'>
  readonly #ownership: Pick<Ownership, 'ended'>
  #isOver = false
  #isChecked: boolean

  constructor(
    cursor: Pick<PartitionCursor, 'position' | 'lastEpoch' | 'hasEnough'>,
    ownership: Pick<Ownership, 'ended'>,
  ) {
    this.#cursor = cursor
    this.#ownership = ownership
    // Without an epoch nothing can be asked about it.
    this.#isChecked = cursor.lastEpoch < 0
  }

  /** True once nothing more is taken. */
  get isOver(): boolean {
    return this.#isOver
  }

  end(): void {
    this.#isOver = true
  }

  /** True once Kafka has confirmed that its log has the end of our chain. */
  get isChecked(): boolean {
    return this.#isChecked
  }

  check(): void {
    this.#isChecked = true
  }

  /** True when the partition may be somebody else's by now. */
  get isLost(): boolean {
    return this.#ownership.ended.aborted
  }

  get isHungry(): boolean {
    return (!this.#cursor.hasEnough || !this.#isChecked) && !this.#isOver && !this.isLost
  }

  /** False when what was asked about a position is of no use any more. */
  isStillAt(position: number): boolean {
    return this.#cursor.position === position && !this.#isOver && !this.isLost
  }
}
