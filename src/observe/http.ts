import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MaxbrodError, messageOf, systemCodeOf } from '../runtime/errors.ts'
import { nodeHttp } from '../runtime/node-http.ts'
import type { Logger } from './logger.ts'

/** What a server answers: `GET /metrics` → how. HEAD is answered like GET. Everything else is 404 or 405. */
export type Routes = Readonly<Record<string, Route>>

/** `signal` aborts when the client goes away. What a route throws is logged and answered with 500. */
export type Route = (request: RouteRequest) => Reply | Promise<Reply>

export interface RouteRequest {
  readonly query: URLSearchParams
  readonly signal: AbortSignal
  /** Asked from this host and under a loopback name: neither another host nor a web page that turned its own name around. */
  readonly isLocal: boolean
}

export interface Reply {
  readonly status?: number
  /** Content type; default plain text. */
  readonly type?: string
  /** Of a page: what its browser may do. */
  readonly policy?: string
  readonly body: string
}

export interface HttpOptions {
  readonly routes: Routes
  /** 0 switches the server off. */
  readonly port: number
  /** The flag that sets the port, for messages. */
  readonly flag: string
  /** Somebody named this port, so it is an error when it is taken; a default port that is taken only costs the server. */
  readonly isNamed: boolean
  /** `loopback` also refuses what a web page could send: requests under another host name (DNS rebinding), or from elsewhere. */
  readonly bind: 'loopback' | 'everywhere'
  readonly logger: Logger
  readonly limits?: HttpLimits
}

/** Nobody sends us anything large or slow; who does would take the connections that probes need. */
export interface HttpLimits {
  /** Until the head of a request is there. */
  readonly headMs: number
  /** Without a byte of the answer being fetched. */
  readonly idleMs: number
  /** How often heads are looked at. */
  readonly checkMs: number
}

const LIMITS: HttpLimits = { headMs: 5_000, idleMs: 10_000, checkMs: 1_000 }

export interface HttpServer extends AsyncDisposable {
  readonly port: number
}

/** Starts a small HTTP server; undefined when there is to be none. A port that was named and is taken is PORT_IN_USE. */
export async function startHttp(options: HttpOptions): Promise<HttpServer | undefined> {
  const { port, flag, isNamed, bind, logger, limits: { headMs, checkMs } = LIMITS } = options
  if (port === 0) return undefined
  const settings = { headersTimeout: headMs, requestTimeout: 2 * headMs, connectionsCheckingInterval: checkMs }
  const server = nodeHttp.createServer(settings, (request, response) => void answer(options, request, response))
  Object.assign(server, { maxHeadersCount: 50, maxConnections: 100 })
  try {
    await listen(server, port, bind === 'loopback' ? '127.0.0.1' : undefined)
  } catch (cause) {
    const reason = systemCodeOf(cause) === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${messageOf(cause)})`
    const hint = `name another one with ${flag}, or 0 for no server`
    if (isNamed) throw new MaxbrodError('PORT_IN_USE', `port ${port} ${reason}`, { hint, port, cause })
    logger.warn({ port, hint }, `port ${port} ${reason}; going on without this server`)
    return undefined
  }
  logger.debug({ port, routes: Object.keys(options.routes) }, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** What a browser may do with anything that is no page. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'"

async function answer(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new Error('the client went away')))
  const answered = await reply(options, request, gone.signal)
  const { status = 200, type = 'text/plain; charset=utf-8', policy = NOTHING, body } = answered
  response.writeHead(status, {
    'content-type': type,
    'content-security-policy': policy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  response.setTimeout((options.limits ?? LIMITS).idleMs, () => response.destroy())
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function reply(
  { routes, bind, logger }: HttpOptions,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Reply> {
  if (bind === 'loopback' && !isLoopback(request.headers.host)) return { status: 403, body: 'ask for 127.0.0.1\n' }
  if (bind === 'loopback' && isOfAnotherSite(request)) return { status: 403, body: 'not from a page of another site\n' }
  const [pathname = '/', query = ''] = (request.url ?? '/').split('?', 2)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = routes[`${method} ${pathname}`]
  if (route === undefined) {
    const isKnown = Object.keys(routes).some(name => name.endsWith(` ${pathname}`))
    return isKnown ? { status: 405, body: 'another method, please\n' } : { status: 404, body: listOf(routes) }
  }
  try {
    const isLocal = isLoopbackAddress(request.socket.remoteAddress) && isLoopback(request.headers.host)
    return await route({ query: new URLSearchParams(query), signal, isLocal })
  } catch (err) {
    if (!signal.aborted) logger.error({ err, path: pathname }, 'could not answer an HTTP request')
    return { status: 500, body: `${messageOf(err)}\n` }
  }
}

/** Browsers say where a request comes from; nobody else does. */
function isOfAnotherSite({ headers }: IncomingMessage): boolean {
  const { origin, host = '', 'sec-fetch-site': site = 'none' } = headers
  return (origin !== undefined && origin !== `http://${host}`) || !['none', 'same-origin'].includes(site)
}

function isLoopbackAddress(address = ''): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

function isLoopback(host = ''): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host)
}

function listOf(routes: Routes): string {
  return Object.keys(routes)
    .map(route => `${route}\n`)
    .join('')
}
