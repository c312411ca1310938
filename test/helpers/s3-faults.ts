import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What happens to a request, instead of being passed on and answered. Bytes are those of the body. */
export type Fault =
  /** Answered here; the server never sees it. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
    }
  /** Carried out by the server, and the answer is lost with the connection. */
  | { readonly kind: 'lost answer' }
  /** The connection breaks off inside the answer. */
  | { readonly kind: 'cut answer'; readonly atByte: number }
  /** The connection stays, and nothing more comes. */
  | { readonly kind: 'stalled answer'; readonly atByte: number }
  /** The connection breaks off while the request is sent. */
  | { readonly kind: 'cut request'; readonly atByte: number }
  /** The request is not read any further, and never answered. */
  | { readonly kind: 'stalled request' }
  /** Passed on with other headers; for servers that do not check signatures. Undefined removes one. */
  | { readonly kind: 'changed headers'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** Passed on, and the answer gets other headers. */
  | { readonly kind: 'changed answer'; readonly headers: Readonly<Record<string, string>> }

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
  readonly #orders: { readonly pattern: RegExp; readonly fault: Fault; left: number }[] = []
  #rule: (line: string) => Fault | undefined = () => undefined
  readonly #server: Server
  readonly #target: URL
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(server: Server, target: string) {
    this.#server = server
    this.#target = new URL(target)
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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
  rule(rule: (line: string) => Fault | undefined): void {
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
    const fault = order === undefined ? this.#rule(line) : order.fault
    if (fault?.kind === 'answer') return answer(incoming, outgoing, fault)
    if (fault?.kind === 'stalled request') return void incoming.pause()
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
  // Like most servers: the request is read first.
  incoming.resume().on('end', () => outgoing.writeHead(fault.status, fault.headers).end(fault.body))
}

function passBack(response: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
  if (fault?.kind === 'lost answer') {
    void text(response).then(() => outgoing.destroy())
    return
  }
  const changed = fault?.kind === 'changed answer' ? fault.headers : {}
  outgoing.writeHead(response.statusCode ?? 500, { ...response.headers, ...changed })
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
