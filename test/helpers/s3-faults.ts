import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** What happens to a request, instead of being passed on and answered. Bytes are those of the body. */
export type Fault =
  /** Answered here; the server never sees it. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
    }
  /** Answered here before the request has been read, which it never is. */
  | { readonly kind: 'early answer'; readonly status: number }
  /** Read at this pace, and then answered here. */
  | {
      readonly kind: 'slow request'
      readonly bytesPerSecond: number
      readonly answer: Fault & { readonly kind: 'answer' }
    }
  /** Carried out by the server, and the answer is lost with the connection. */
  | { readonly kind: 'lost answer' }
  /** The connection breaks off inside the answer. */
  | { readonly kind: 'cut answer'; readonly atByte: number }
  /** The connection stays, and nothing more comes. */
  | { readonly kind: 'stalled answer'; readonly atByte: number }
  /** One bit of the body is another one. */
  | { readonly kind: 'corrupt answer'; readonly atByte: number }
  /** The connection breaks off while the request is sent. */
  | { readonly kind: 'cut request'; readonly atByte: number }
  /** The request is not read any further, and never answered. */
  | { readonly kind: 'stalled request' }
  /** Passed on at this pace. */
  | { readonly kind: 'slow upload'; readonly bytesPerSecond: number }
  /** Read, and answered by the test, which may carry out something else. */
  | { readonly kind: 'other server'; readonly handle: (incoming: IncomingMessage) => Promise<Answer> }
  /** Passed on with other headers; for servers that do not check signatures. Undefined removes one. Its answer may get others, too. */
  | {
      readonly kind: 'changed headers'
      readonly headers: Readonly<Record<string, string | undefined>>
      readonly answer?: Readonly<Record<string, string>>
    }
  /** Passed on, and the answer gets other headers. */
  | { readonly kind: 'changed answer'; readonly headers: Readonly<Record<string, string>> }

type Answer = Fault & { readonly kind: 'answer' }

/** An S3 error as servers send it. */
export function s3ErrorAnswer(status: number, code: string, headers: Record<string, string> = {}): Fault {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>as the test wants</Message></Error>`
  return { kind: 'answer', status, body, headers: { 'content-type': 'application/xml', ...headers } }
}

/** A server in front of an S3 server that passes requests on, except for the faults that a test orders. */
export class S3Faults implements AsyncDisposable {
  /** For `--s3-endpoint`. */
  readonly endpoint: string
  /** What came in so far: `PUT /bucket/key`. */
  readonly seen: string[] = []
  /** How many connections that took. */
  connections = 0
  readonly #orders: { readonly pattern: RegExp; readonly fault: Fault; left: number }[] = []
  #rule: (line: string, headers: IncomingHttpHeaders) => Fault | undefined = () => undefined
  readonly #server: Server
  readonly #target: URL
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(server: Server, target: string) {
    this.#server = server
    this.#target = new URL(target)
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', () => (this.connections += 1))
    server.on('request', (incoming, outgoing) => this.#handle(incoming, outgoing))
  }

  /** Without a target, every request needs a fault. */
  static async start(target = 'http://127.0.0.1:9'): Promise<S3Faults> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new S3Faults(server, target)
  }

  /** The next `times` requests that match (`/^PUT .*\/key/`) meet the fault. Orders are looked at in order. */
  order(pattern: RegExp, fault: Fault, times = 1): void {
    this.#orders.push({ pattern, fault, left: times })
  }

  /** Decides about every request that no order is for. */
  rule(rule: (line: string, headers: IncomingHttpHeaders) => Fault | undefined): void {
    this.#rule = rule
  }

  /** How many faults were ordered and have not happened. A test whose faults never fired proved nothing. */
  get unused(): number {
    return this.#orders.reduce((sum, { left }) => sum + left, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const line = `${incoming.method} ${incoming.url}`
    this.seen.push(line)
    incoming.on('error', () => {})
    outgoing.on('error', () => {})
    const order = this.#orders.find(({ pattern, left }) => left > 0 && pattern.test(line))
    if (order !== undefined) order.left--
    const fault = order === undefined ? this.#rule(line, incoming.headers) : order.fault
    if (fault?.kind === 'answer') return answer(incoming, outgoing, fault)
    if (fault?.kind === 'stalled request') return void incoming.pause()
    if (fault?.kind === 'early answer') return void outgoing.writeHead(fault.status).end()
    if (fault?.kind === 'other server') return void fault.handle(incoming).then(it => answer(incoming, outgoing, it))
    if (fault?.kind === 'slow request') return void readSlowly(incoming, outgoing, fault)
    this.#forward(incoming, outgoing, fault)
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
    const { hostname: host, port } = this.#target
    const { method, url: path } = incoming
    const changed = fault?.kind === 'changed headers' ? fault.headers : {}
    const headers = Object.fromEntries(
      Object.entries({ ...incoming.headers, ...changed }).filter(([, value]) => value !== undefined),
    )
    const onward = httpRequest({ host, port, method, path, headers, agent: this.#agent })
    onward.on('error', () => outgoing.destroy())
    onward.on('response', response => passBack(response, outgoing, fault))
    if (fault?.kind === 'slow upload') return void pipeline(incoming, pace(fault), onward).catch(() => undefined)
    if (fault?.kind !== 'cut request') return void incoming.pipe(onward)
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes < fault.atByte) return void onward.write(chunk)
      onward.destroy()
      incoming.destroy()
    })
  }
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault & { kind: 'answer' }): void {
  const { status, headers, body = '' } = fault
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const reply = () => outgoing.writeHead(status, status === 204 ? headers : { ...length, ...headers }).end(body)
  // Like most servers: the request is read first.
  if (incoming.readableEnded) reply()
  else incoming.resume().on('end', reply)
}

/** In pieces of a tenth of a second's share. */
function pace({ bytesPerSecond }: Fault & { kind: 'slow upload' }) {
  const size = Math.ceil(bytesPerSecond / 10)
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += size) {
        yield chunk.subarray(at, at + size)
        await sleep(100)
      }
    }
  }
}

async function readSlowly(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault & { kind: 'slow request' },
): Promise<void> {
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    await sleep((chunk.length / fault.bytesPerSecond) * 1000)
  }
  answer(incoming, outgoing, fault.answer)
}

function flip({ atByte }: Fault & { kind: 'corrupt answer' }) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let left = atByte
    for await (const chunk of source) {
      if (left >= 0 && left < chunk.length) chunk.writeUInt8(chunk.readUInt8(left) ^ 1, left)
      left -= chunk.length
      yield chunk
    }
  }
}

function passBack(response: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
  if (fault?.kind === 'lost answer') {
    void text(response).then(() => outgoing.destroy())
    return
  }
  const changed =
    fault?.kind === 'changed answer' ? fault.headers : fault?.kind === 'changed headers' ? (fault.answer ?? {}) : {}
  outgoing.writeHead(response.statusCode ?? 500, { ...response.headers, ...changed })
  if (fault?.kind === 'corrupt answer') return void pipeline(response, flip(fault), outgoing).catch(() => undefined)
  if (fault?.kind !== 'cut answer' && fault?.kind !== 'stalled answer') return void response.pipe(outgoing)
  outgoing.flushHeaders()
  let left = fault.atByte
  // An answer that is shorter breaks off at its end.
  if (fault.kind === 'cut answer') response.on('end', () => outgoing.destroy())
  response.on('data', (chunk: Buffer) => {
    const piece = chunk.subarray(0, left)
    left -= piece.length
    outgoing.write(piece, () => {
      if (left === 0 && fault.kind === 'cut answer') outgoing.destroy()
    })
  })
}
