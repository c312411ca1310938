import { DecodeError } from '../batch/varint.ts'

const MAX_VARINT_BYTES = 10

/** Reads a stream of chunks by byte counts. `onBytes` sees all bytes that were read, in order, once. */
export class ByteStream {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #onBytes: (bytes: Buffer) => void
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(chunks: AsyncIterable<Buffer>, onBytes: (bytes: Buffer) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#onBytes = onBytes
  }

  /** True when no byte is left. */
  async isAtEnd(): Promise<boolean> {
    while (this.#at === this.#chunk.length) if (!(await this.#next())) return true
    return false
  }

  /** A zig-zag integer. Throws DecodeError at the end of the stream or when it is not a safe one. */
  async readInteger(): Promise<number> {
    let value = 0n
    for (let n = 0; n < MAX_VARINT_BYTES; n++) {
      if (await this.isAtEnd()) throw new DecodeError('the file ends inside a block header')
      const byte = this.#chunk[this.#at] as number
      this.#pass(1)
      if (n === MAX_VARINT_BYTES - 1 && byte > 1) break
      value |= BigInt(byte & 0x7f) << BigInt(7 * n)
      if (byte < 0x80) {
        const integer = Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)))
        if (!Number.isSafeInteger(integer)) throw new DecodeError('a block header that is no safe integer')
        return integer
      }
    }
    throw new DecodeError('a block header integer of more than 64 bits')
  }

  /** Fills `target`. Throws DecodeError when the stream ends before that. */
  async readInto(target: Buffer): Promise<void> {
    for (let filled = 0; filled < target.length;) {
      if (await this.isAtEnd())
        throw new DecodeError(`the file ends ${target.length - filled} bytes before the end of a block`)
      const bytes = Math.min(target.length - filled, this.#chunk.length - this.#at)
      this.#chunk.copy(target, filled, this.#at, this.#at + bytes)
      this.#pass(bytes)
      filled += bytes
    }
  }

  /** Lets go of the source; unread bytes are dropped. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  #pass(bytes: number): void {
    this.#onBytes(this.#chunk.subarray(this.#at, this.#at + bytes))
    this.#at += bytes
  }

  async #next(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#chunk = next.value
    this.#at = 0
    return true
  }
}
