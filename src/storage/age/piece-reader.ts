/** Takes bytes from pieces of any sizes. */
export class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #buffered: Uint8Array[] = []
  #bytes = 0
  #isOver = false

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** The next bytes: as many as asked for, or all that are left. */
  async take(bytes: number): Promise<Buffer> {
    const found = await this.peek(bytes)
    this.#drop(found.length)
    return found
  }

  /** The same, and they are still there. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#bytes < bytes && !this.#isOver) await this.#pull()
    const [first] = this.#buffered
    if (first !== undefined && first.length >= bytes) return bufferOf(first).subarray(0, bytes)
    return this.#joined(bytes)
  }

  /** True when nothing is left. */
  async isAtEnd(): Promise<boolean> {
    return (await this.peek(1)).length === 0
  }

  async close(): Promise<void> {
    this.#buffered = []
    this.#isOver = true
    await this.#pieces.return?.()
  }

  async #pull(): Promise<void> {
    const next = await this.#pieces.next()
    if (next.done === true) this.#isOver = true
    else if (next.value.length > 0) {
      this.#buffered.push(next.value)
      this.#bytes += next.value.length
    }
  }

  #joined(bytes: number): Buffer {
    const parts: Uint8Array[] = []
    let left = bytes
    for (const piece of this.#buffered) {
      if (left <= 0) break
      parts.push(piece.subarray(0, left))
      left -= piece.length
    }
    return Buffer.concat(parts)
  }

  #drop(bytes: number): void {
    this.#bytes -= bytes
    let left = bytes
    while (left > 0) {
      const [first] = this.#buffered
      if (first === undefined) return
      if (first.length > left) {
        this.#buffered[0] = first.subarray(left)
        return
      }
      left -= first.length
      this.#buffered.shift()
    }
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
