import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export interface FakeRequest {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  /** Behind the header, whose version 1 is taken for granted. */
  readonly body: Buffer
  readonly socket: Socket
  /** Answers with this payload, in one write. */
  answer(payload: Buffer): void
}

const API_VERSIONS = 18

/**
 * A listener that speaks Kafka's framing and does with each request what a test wants: for faults that no broker commits on
 * demand. It answers ApiVersions by itself, offering versions 0 to 20 of the APIs 0 to 80.
 */
export class FakeBroker implements AsyncDisposable {
  readonly requests: FakeRequest[] = []
  readonly sockets = new Set<Socket>()
  /** Connections there have been. */
  connections = 0
  readonly #server: Server

  private constructor(handle: (request: FakeRequest) => void) {
    this.#server = createServer(socket => {
      this.connections++
      this.sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.once('close', () => this.sockets.delete(socket))
      let bytes = Buffer.alloc(0)
      socket.on('data', chunk => {
        bytes = Buffer.concat([bytes, chunk])
        while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
          const request = decode(bytes.subarray(4, 4 + bytes.readInt32BE(0)), socket)
          bytes = bytes.subarray(4 + bytes.readInt32BE(0))
          if (request.apiKey === API_VERSIONS) request.answer(offeredVersions)
          else {
            this.requests.push(request)
            handle(request)
          }
        }
      })
    })
  }

  static async start(handle: (request: FakeRequest) => void): Promise<FakeBroker> {
    const broker = new FakeBroker(handle)
    broker.#server.listen(0, '127.0.0.1')
    await once(broker.#server, 'listening')
    return broker
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** The bytes of an answer: size, correlation id, payload. */
export function frame(correlationId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + payload.length, 0)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, payload])
}

function decode(bytes: Buffer, socket: Socket): FakeRequest {
  const correlationId = bytes.readInt32BE(4)
  return {
    apiKey: bytes.readInt16BE(0),
    version: bytes.readInt16BE(2),
    correlationId,
    body: Buffer.from(bytes.subarray(10 + Math.max(0, bytes.readInt16BE(8)))),
    socket,
    answer: payload => void socket.write(frame(correlationId, payload)),
  }
}

const offeredVersions = (() => {
  const apis = 81
  const bytes = Buffer.alloc(6 + 6 * apis)
  bytes.writeInt32BE(apis, 2)
  for (let key = 0; key < apis; key++) {
    bytes.writeInt16BE(key, 6 + 6 * key)
    bytes.writeInt16BE(20, 10 + 6 * key)
  }
  return bytes
})()
