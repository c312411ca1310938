/**
 * How far a plan partition is done: entries are finished in any order, and the offset of the first one that is not is what
 * may be committed. A hint for lag and autoscaling; the truth is in the targets.
 */
export class PlanProgress {
  /** Offsets of entries that ask for work, in order. */
  #open: number[] = []
  /** Where in the list the first one stands that is not done. Taking it out each time would move all behind it. */
  #first = 0
  /** Of these, the ones that were finished before their turn. */
  readonly #done = new Set<number>()
  #end = 0

  /** Notes an entry; one that asks for no work is done at once. */
  add(offset: number, isDone: boolean): void {
    this.reach(offset + 1)
    if (!isDone) this.#open.push(offset)
  }

  /** Notes that there are no other entries below `end`. */
  reach(end: number): void {
    this.#end = Math.max(this.#end, end)
  }

  finish(offset: number): void {
    const first = this.#open[this.#first]
    if (first === undefined || offset < first) return // finished already
    this.#done.add(offset)
    for (let next: number | undefined = first; next !== undefined && this.#done.delete(next);)
      next = this.#open[++this.#first]
    if (this.#first < this.#open.length / 2) return
    this.#open = this.#open.slice(this.#first)
    this.#first = 0
  }

  /** What was finished is to be done once more: the offset goes back to it. */
  reopen(offset: number): void {
    this.#done.delete(offset)
    const open = this.#open.slice(this.#first)
    this.#open = open.includes(offset) ? open : [...open, offset].toSorted((a, b) => a - b)
    this.#first = 0
  }

  /** The offset to commit: everything below it is done. */
  get committable(): number {
    return this.#open[this.#first] ?? this.#end
  }
}
