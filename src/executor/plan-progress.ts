/**
 * How far a plan partition is done: entries are finished in any order, and the offset of the first one that is not is what
 * may be committed. A hint for lag and autoscaling; the truth is in the targets.
 */
export class PlanProgress {
  /** Offsets of entries that are not done, in order. */
  readonly #open: number[] = []
  readonly #done = new Set<number>()
  #end = 0

  /** Notes an entry; one that asks for no work is done at once. */
  add(offset: number, isDone: boolean): void {
    this.#end = offset + 1
    if (!isDone) this.#open.push(offset)
  }

  finish(offset: number): void {
    this.#done.add(offset)
    while (this.#open[0] !== undefined && this.#done.delete(this.#open[0])) this.#open.shift()
  }

  /** The offset to commit: everything below it is done. */
  get committable(): number {
    return this.#open[0] ?? this.#end
  }
}
