/** The lowest lines of a terminal, painted again and again, below everything else that is printed. */
export class Screen implements Disposable {
  readonly #write: (text: string) => void
  #lines: readonly string[] = []

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  /** Shows these lines in place of the ones before. None may be wider than the terminal. */
  show(lines: readonly string[]): void {
    if (lines.length === 0 && this.#lines.length === 0) return
    const text = lines.map(line => `${line}\n`).join('')
    this.#write(`${this.#clearing()}${text}`)
    this.#lines = lines
  }

  /** Lets something be printed as if the lines were not there. */
  above(print: () => void): void {
    const lines = this.#lines
    if (lines.length > 0) this.show([])
    print()
    if (lines.length > 0) this.show(lines)
  }

  [Symbol.dispose](): void {
    this.show([])
  }

  /** Up to the first line, then clear from there to the end of the terminal. */
  #clearing(): string {
    return this.#lines.length === 0 ? '' : `\u001B[${this.#lines.length}A\u001B[J`
  }
}
