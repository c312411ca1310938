import type { BufferPool } from '../../runtime/buffer-pool.ts'

/** A whole answer in one buffer, behind its correlation id. Disposing of it lets the buffer be used again. */
export interface Frame extends Disposable {
  readonly payload: Buffer
}

const SIZE_BYTES = 4
const CORRELATION_BYTES = 4
/** No answer is larger: a fetch is bounded by what was asked for, or by one batch. */
const MAX_FRAME_BYTES = 1024 ** 3
/** The first answer lists API versions. A greeting of four letters, read as a size, is larger. */
const MAX_FIRST_FRAME_BYTES = 1024 ** 2
/** A TLS alert, read as a size. */
const TLS_ALERT = 0x1503
/** Larger frames come from the pool. */
const POOLED_BYTES = 32 * 1024

/**
 * Cuts the bytes of a connection into answers, however they were split on their way. kafkajs joins all chunks of an answer
 * anew each time one arrives; here each byte goes to its place at once, or is copied there once.
 */
export class FrameReader {
  readonly #pool: BufferPool
  readonly #onFrame: (correlationId: number, frame: Frame) => void
  readonly #size = Buffer.alloc(SIZE_BYTES)
  #sizeBytes = 0
  #frame: Buffer | undefined
  #frameSize = 0
  #frameBytes = 0
  #maxBytes = MAX_FIRST_FRAME_BYTES

  constructor(pool: BufferPool, onFrame: (correlationId: number, frame: Frame) => void) {
    this.#pool = pool
    this.#onFrame = onFrame
  }

  /** Where the next bytes of the answer that is being read belong; undefined when none has begun. `read` knows them there. */
  get place(): Buffer | undefined {
    return this.#frame?.subarray(this.#frameBytes, this.#frameSize)
  }

  /** Takes the next bytes; the chunk may be overwritten afterwards. Throws when they are no answers; then nothing more may be read. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#frame === undefined) {
        const bytes = Math.min(SIZE_BYTES - this.#sizeBytes, chunk.length - at)
        chunk.copy(this.#size, this.#sizeBytes, at, at + bytes)
        this.#sizeBytes += bytes
        at += bytes
        if (this.#sizeBytes === SIZE_BYTES) this.#begin(this.#size.readInt32BE(0))
      } else {
        const frame = this.#frame
        const bytes = Math.min(this.#frameSize - this.#frameBytes, chunk.length - at)
        const isInPlace = chunk.buffer === frame.buffer && chunk.byteOffset === frame.byteOffset + this.#frameBytes
        if (!isInPlace) chunk.copy(frame, this.#frameBytes, at, at + bytes)
        this.#frameBytes += bytes
        at += bytes
        if (this.#frameBytes === this.#frameSize) this.#end(frame)
      }
    }
  }

  #begin(size: number): void {
    if (size >>> 16 === TLS_ALERT) throw new Error('this listener speaks TLS, and plain text was sent to it')
    if (size < CORRELATION_BYTES || size > this.#maxBytes)
      throw new Error(`an answer that begins with '${printable(this.#size)}': this is no Kafka broker`)
    this.#sizeBytes = 0
    this.#frameSize = size
    this.#frameBytes = 0
    this.#frame = size > POOLED_BYTES ? this.#pool.take(size) : Buffer.allocUnsafe(size)
  }

  #end(frame: Buffer): void {
    const size = this.#frameSize
    let pooled = size > POOLED_BYTES ? frame : undefined
    this.#frame = undefined
    this.#maxBytes = MAX_FRAME_BYTES
    this.#onFrame(frame.readInt32BE(0), {
      payload: frame.subarray(CORRELATION_BYTES, size),
      [Symbol.dispose]: () => {
        // Given back twice, it would be handed to two takers.
        if (pooled !== undefined) this.#pool.give(pooled)
        pooled = undefined
      },
    })
  }
}

/** For a message: other protocols greet with text. */
function printable(bytes: Buffer): string {
  const text = bytes.toString('latin1')
  return /^[ -~]+$/.test(text) ? text : `0x${bytes.toString('hex')}`
}
