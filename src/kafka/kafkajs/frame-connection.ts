import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { Connection } from './internals.ts'
import type { ConnectionSettings } from './internals.ts'

/** A whole answer in one buffer, behind its correlation id. `release` lets the buffer be used again. */
export interface Frame extends Disposable {
  readonly payload: Buffer
}

const SIZE_BYTES = 4
const CORRELATION_BYTES = 4
/** No answer is larger: a fetch is bounded by what was asked for, or by one batch. */
const MAX_FRAME_BYTES = 1024 ** 3
/** A TLS alert, read as a size. */
const TLS_ALERT = 0x1503
/** Larger frames come from the pool. */
const POOLED_BYTES = 32 * 1024
const KEEP_ALIVE_MS = 60_000

/**
 * kafkajs' connection with another way of reading: kafkajs concatenates the chunks of an answer each time one arrives,
 * here they are copied once, to their place. What kafkajs does for TLS, SASL and time-outs is left as it is.
 */
export class FrameConnection extends Connection<Frame> {
  readonly #pool: BufferPool
  readonly #head = Buffer.alloc(SIZE_BYTES)
  #headBytes = 0
  #frame: Buffer | undefined
  #frameBytes = 0
  #frameSize = 0

  /** Reads go into one buffer of `readBytes`, which stays in the processor's cache, and from there to their frame. */
  constructor(settings: Omit<ConnectionSettings, 'socketFactory'>, pool: BufferPool, readBytes: number) {
    super({ ...settings, socketFactory: where => openSocket(where, readBytes, chunk => this.processData(chunk)) })
    this.#pool = pool
    const queue = this.requestQueue
    const schedule = queue.scheduleCheckPendingRequests.bind(queue)
    // kafkajs arms a timer for the next look at an empty queue for ever, with negative delays (its issues 1556, 1751).
    queue.scheduleCheckPendingRequests = () => {
      if (queue.pending.length > 0) schedule()
    }
  }

  override processData(chunk: Buffer): void {
    if (this.authHandlers !== null) {
      // SASL without SaslAuthenticate (brokers before 1.0) is not framed; kafkajs keeps the chunk, hence the copy.
      super.processData(Buffer.from(chunk))
      return
    }
    let at = 0
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        const bytes = Math.min(SIZE_BYTES - this.#headBytes, chunk.length - at)
        chunk.copy(this.#head, this.#headBytes, at, at + bytes)
        this.#headBytes += bytes
        at += bytes
        if (this.#headBytes === SIZE_BYTES) this.#beginFrame()
      } else {
        const bytes = Math.min(this.#frameSize - this.#frameBytes, chunk.length - at)
        chunk.copy(this.#frame, this.#frameBytes, at, at + bytes)
        this.#frameBytes += bytes
        at += bytes
        if (this.#frameBytes === this.#frameSize) this.#endFrame(this.#frame)
      }
    }
  }

  #beginFrame(): void {
    const size = this.#head.readInt32BE(0)
    this.#headBytes = 0
    if (size < CORRELATION_BYTES || size > MAX_FRAME_BYTES || size >>> 16 === TLS_ALERT) {
      const what =
        size >>> 16 === TLS_ALERT ? 'this listener speaks TLS' : `an answer of ${size} bytes: this is no Kafka broker`
      this.socket?.destroy(new Error(what))
      return
    }
    this.#frameSize = size
    this.#frameBytes = 0
    this.#frame = size > POOLED_BYTES ? this.#pool.take(size) : Buffer.allocUnsafe(size)
  }

  #endFrame(frame: Buffer): void {
    const size = this.#frameSize
    this.#frame = undefined
    this.requestQueue.fulfillRequest({
      correlationId: frame.readInt32BE(0),
      size,
      payload: {
        payload: frame.subarray(CORRELATION_BYTES, size),
        [Symbol.dispose]: () => {
          if (size > POOLED_BYTES) this.#pool.give(frame)
        },
      },
    })
  }
}

function openSocket(
  { host, port, ssl, onConnect }: { host: string; port: number; ssl: object | null; onConnect: () => void },
  readBytes: number,
  onChunk: (chunk: Buffer) => void,
): Socket {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(readBytes),
    callback(bytes: number, buffer: Uint8Array) {
      onChunk(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
      return true
    },
  }
  const socket =
    ssl === null
      ? connectTcp({ host, port, onread }, onConnect)
      : connectTls(
          { host, port, onread, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl } as object,
          onConnect,
        )
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  return socket
}
