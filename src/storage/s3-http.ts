import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { Readable, Transform, pipeline } from 'node:stream'
import { rootCertificates } from 'node:tls'
import { nodeHttp } from '../runtime/node-http.ts'
import { giveUpWhereDue } from './s3-giving-up.ts'
import type { SilenceLimits } from './s3-giving-up.ts'

export interface HttpLimits extends SilenceLimits {
  /** Further requests wait for one that ends. More than any room opens at once; bounds what a bug could. */
  readonly connectionsMax: number
}

export const defaultHttpLimits: HttpLimits = {
  connectMs: 10_000,
  answerMs: 60_000,
  idleMs: 30_000,
  connectionsMax: 256,
}

/** The way to the store. */
export interface HttpRoute {
  /** http://[user:password@]host:port: all requests go through it, those over TLS in a tunnel (CONNECT). */
  readonly proxy?: string | undefined
  /** PEM of authorities that are trusted beside those that Node brings along. */
  readonly ca?: string | undefined
}

/** What the SDK hands to its request handler, as far as it is used here. */
interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | string[] | null>> | undefined
  readonly headers: Record<string, string>
  readonly body?: unknown
}

interface SdkResponse {
  readonly response: {
    readonly statusCode: number
    readonly reason?: string | undefined
    readonly headers: Record<string, string>
    readonly body: Readable
  }
}

/**
 * The SDK's way out: HTTP/1.1 over connections that are kept. The SDK's own handler has a time limit for the whole request,
 * which a large upload over a slow line breaks, or none for bodies, which then wait for ever on a connection that died. Here
 * what counts is silence: a request may take hours as long as bytes move.
 */
export class S3HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #limits: HttpLimits
  readonly #http: HttpAgent
  readonly #https: HttpsAgent

  constructor(limits: HttpLimits, { proxy, ca }: HttpRoute = {}) {
    const options = {
      keepAlive: true,
      maxSockets: limits.connectionsMax,
      ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
    }
    this.#limits = limits
    this.#http = new nodeHttp.Agent(options)
    this.#https = new HttpsAgent(ca === undefined ? options : { ...options, ca: [...rootCertificates, ca] })
  }

  /** Resolves when the head of the answer is there. Its body fails when it breaks off, falls silent or is aborted. */
  handle(request: SdkRequest, { abortSignal }: { abortSignal?: unknown } = {}): Promise<SdkResponse> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#send(request)
      outgoing.once('error', reject)
      outgoing.once('response', incoming => {
        const { statusCode = 0, statusMessage: reason, headers } = incoming
        // The SDK gives out the bodies of objects as they come, and takes all others into memory.
        const isObject = request.method === 'GET' && statusCode < 300 && request.query?.['list-type'] === undefined
        const body = isObject ? incoming : bounded(incoming)
        resolve({ response: { statusCode, reason, headers: plain(headers), body } })
      })
      const fail = giveUpWhereDue(outgoing, this.#limits, abortSignal)
      if (request.body instanceof Readable) pipeline(request.body, outgoing, error => error != null && fail(error))
      else outgoing.end(request.body)
    })
  }

  destroy(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  // The SDK demands these two; there is nothing to configure later.
  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): object {
    return {}
  }

  #send({ protocol, hostname, port, method, path, query = {}, headers }: SdkRequest): ClientRequest {
    const where = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port, method, path: withQuery(path, query), headers }
    return protocol === 'http:'
      ? nodeHttp.request({ ...where, agent: this.#http })
      : requestHttps({ ...where, agent: this.#https })
  }
}

/** A page of a thousand keys of a thousand bytes, each of them escaped, is not half as long. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** The same, ended with an error where it goes on for ever. */
function bounded(incoming: IncomingMessage): Readable {
  let bytes = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) done(new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`))
      else done(null, chunk)
    },
  })
  // Whoever reads it gets the error.
  pipeline(incoming, counted, () => {})
  return counted
}

/** The query as the signature has it: sorted, and with these characters escaped. */
function withQuery(path: string, query: Readonly<Record<string, string | string[] | null>>): string {
  const pairs = Object.keys(query)
    .sort()
    .flatMap(name => [query[name] ?? ''].flat().map(value => `${escape(name)}=${escape(value)}`))
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

function escape(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function plain(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}
