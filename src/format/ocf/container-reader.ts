import { createHash } from 'node:crypto'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { DecodeError } from '../batch/varint.ts'
import { ByteStream } from './byte-stream.ts'
import { SYNC_BYTES, parseContainerHeader } from './container-header.ts'
import type { ContainerHeader } from './container-header.ts'

/** A block as it lies in the file: its bytes are compressed. disposing gives their buffer back. */
export interface ContainerBlock extends Disposable {
  readonly records: number
  readonly compressed: Buffer
}

/** What a container file turned out to hold, known at its end. */
export interface ContainerTotals {
  readonly blocks: number
  readonly records: number
  /** Bytes behind the header, and their SHA-256 in hexadecimal. */
  readonly bytes: number
  readonly sha256: string
}

/** More than the largest block that is accepted can hold, at five bytes for the shortest record. */
const MAX_BLOCK_RECORDS = 2 ** 28

/**
 * Reads an Avro container from a stream of chunks, one block at a time and in bounded memory. It never takes the end of
 * the stream for the end of the file unless it comes between two blocks; whether all blocks were there, only the totals
 * tell: the caller compares them with the header. Throws DecodeError.
 */
export class ContainerReader {
  readonly header: ContainerHeader
  readonly #stream: ByteStream
  readonly #pool: BufferPool
  readonly #hash
  #blocks = 0
  #records = 0
  #bytes = 0

  private constructor(header: ContainerHeader, chunks: AsyncIterable<Buffer>, pool: BufferPool) {
    const hash = createHash('sha256')
    this.header = header
    this.#hash = hash
    this.#pool = pool
    this.#stream = new ByteStream(chunks, bytes => {
      hash.update(bytes)
      this.#bytes += bytes.length
    })
  }

  static async open(chunks: AsyncIterable<Buffer>, pool: BufferPool): Promise<ContainerReader> {
    const source = chunks[Symbol.asyncIterator]()
    let start: Buffer = Buffer.alloc(0)
    try {
      for (;;) {
        const next = await source.next()
        if (next.done === true) throw new DecodeError('the file ends inside its header')
        start = start.length === 0 ? next.value : Buffer.concat([start, next.value])
        const header = parseContainerHeader(start)
        if (header !== undefined)
          return new ContainerReader(header, following(start.subarray(header.bytes), source), pool)
      }
    } catch (error) {
      await source.return?.()
      throw error
    }
  }

  /** The next block, or undefined at the end. A block of more than `maxBytes` compressed bytes is refused. */
  async next(maxBytes: number): Promise<ContainerBlock | undefined> {
    if (await this.#stream.isAtEnd()) return undefined
    const records = await this.#stream.readInteger()
    const size = await this.#stream.readInteger()
    // A block without records is legal Avro, and it makes other readers end early: nobody has a reason to write one.
    if (records < 1 || records > MAX_BLOCK_RECORDS) throw new DecodeError(`a block of ${records} records`)
    if (size < 0 || size > maxBytes)
      throw new DecodeError(`a block of ${size} bytes, where at most ${maxBytes} are allowed`)
    const buffer = this.#pool.take(size)
    const compressed = buffer.subarray(0, size)
    const sync = Buffer.alloc(SYNC_BYTES)
    try {
      await this.#stream.readInto(compressed)
      await this.#stream.readInto(sync)
      if (!sync.equals(this.header.sync))
        throw new DecodeError(`block ${this.#blocks} does not end in the file's sync marker`)
    } catch (error) {
      this.#pool.give(buffer)
      throw error
    }
    this.#blocks++
    this.#records += records
    let isGiven = false
    return {
      records,
      compressed,
      [Symbol.dispose]: () => {
        // A buffer given twice would be handed out twice.
        if (!isGiven) this.#pool.give(buffer)
        isGiven = true
      },
    }
  }

  /** To be asked once, after `next` answered undefined. */
  totals(): ContainerTotals {
    return { blocks: this.#blocks, records: this.#records, bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  async close(): Promise<void> {
    await this.#stream.close()
  }
}

/** No generator: one that nobody began would not let go of the rest when it is left. */
function following(first: Buffer, rest: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  let waiting: Buffer | undefined = first.length > 0 ? first : undefined
  const iterator: AsyncIterator<Buffer> = {
    next() {
      if (waiting === undefined) return rest.next()
      const value = waiting
      waiting = undefined
      return Promise.resolve({ done: false, value })
    },
    return: () => rest.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  }
  return { [Symbol.asyncIterator]: () => iterator }
}
