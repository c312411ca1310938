/** Items of a stream that were read and are not done with. At most so many, and of so many bytes, are read ahead. */
const ITEMS = 8
const BYTES = 32 * 1024 * 1024

export interface Window<T> {
  readonly items: readonly T[]
  /** The stream has no more than these. */
  readonly isEnd: boolean
}

/**
 * A stream of which the next item is looked at, and now and then some more. An item may live in memory that goes with the
 * next read: those that must stay longer are copied by `keep`.
 */
export class LookAhead<T> implements AsyncDisposable {
  readonly #source: AsyncIterator<T>
  readonly #keep: (item: T) => T
  readonly #bytesOf: (item: T) => number
  readonly #items: T[] = []
  #isEnd = false

  constructor(source: AsyncIterable<T>, keep: (item: T) => T, bytesOf: (item: T) => number) {
    this.#source = source[Symbol.asyncIterator]()
    this.#keep = keep
    this.#bytesOf = bytesOf
  }

  /** The next item; undefined at the end. */
  async next(): Promise<T | undefined> {
    if (this.#items.length === 0) await this.#read()
    return this.#items[0]
  }

  /** The next items, and some behind them. */
  async ahead(): Promise<Window<T>> {
    let bytes = this.#items.reduce((sum, item) => sum + this.#bytesOf(item), 0)
    while (!this.#isEnd && this.#items.length < ITEMS && bytes < BYTES) {
      const last = this.#items.pop()
      if (last !== undefined) this.#items.push(this.#keep(last))
      await this.#read()
      const read = this.#items.at(-1)
      if (!this.#isEnd && read !== undefined) bytes += this.#bytesOf(read)
    }
    return { items: this.#items, isEnd: this.#isEnd }
  }

  /** These items are done with. */
  pass(count = 1): void {
    this.#items.splice(0, count)
  }

  async #read(): Promise<void> {
    if (this.#isEnd) return
    const { done, value } = await this.#source.next()
    if (done === true) this.#isEnd = true
    else this.#items.push(value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.()
  }
}
