import { batchesIn } from '../../format/batch/record-batch.ts'

/** Where the next fetch of a partition begins: ahead of what was taken, so that it can go out before anything is decoded. */
export class FetchPosition {
  #next: number
  /** Leader epoch of what lies before it. */
  #epoch: number

  constructor(next: number, epoch: number) {
    this.#next = next
    this.#epoch = epoch
  }

  get next(): number {
    return this.#next
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Looks only at the headers of the batches that came. */
  announce(records: Buffer): void {
    try {
      for (const batch of batchesIn(records)) {
        if (batch.nextOffset <= this.#next) continue
        this.#next = batch.nextOffset
        this.#epoch = batch.leaderEpoch
      }
    } catch {
      // Whoever takes the same bytes comes upon it and says what is wrong with them.
    }
  }

  /** Back to what was really taken. */
  rewind(position: number, epoch: number): void {
    this.#next = position
    this.#epoch = epoch
  }
}
