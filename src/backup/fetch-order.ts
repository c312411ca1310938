/**
 * Who is asked for first. Brokers fill an answer in the order asked until it is full, so that of thousands of partitions the
 * first few could take all of it, again and again: who got something goes to the end.
 */
export class FetchOrder<T extends object> {
  readonly #servedAt = new WeakMap<T, number>()
  #count = 0

  /** Whoever has waited longest comes first. */
  sorted(all: readonly T[]): T[] {
    return all.toSorted((a, b) => (this.#servedAt.get(a) ?? 0) - (this.#servedAt.get(b) ?? 0))
  }

  served(one: T): void {
    this.#servedAt.set(one, ++this.#count)
  }
}
