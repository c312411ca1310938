/** Goes through offsets one by one; waits only where they must be read first. */
export class OffsetCursor {
  /** Undefined at the end. */
  current: number | undefined
  readonly #offsets: Iterator<number> | AsyncIterator<number>

  private constructor(offsets: Iterator<number> | AsyncIterator<number>) {
    this.#offsets = offsets
  }

  /** Stands at the first one. */
  static async open(offsets: Iterator<number> | AsyncIterator<number>): Promise<OffsetCursor> {
    const cursor = new OffsetCursor(offsets)
    await cursor.advance()
    return cursor
  }

  advance(): void | Promise<void> {
    const next = this.#offsets.next()
    if (next instanceof Promise) return next.then(result => this.#take(result))
    this.#take(next)
    return undefined
  }

  async close(): Promise<void> {
    await this.#offsets.return?.()
  }

  #take(result: IteratorResult<number>): void {
    this.current = result.done === true ? undefined : result.value
  }
}
