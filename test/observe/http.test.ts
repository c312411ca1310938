import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { watchRoutes } from '../../src/observe/endpoints.ts'
import type { HttpOptions, Routes } from '../../src/observe/http.ts'
import { startHttp } from '../../src/observe/http.ts'
import type { LogFacts, Logger } from '../../src/observe/logger.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { freePorts } from '../helpers/ports.ts'

const well = { alive: { isGood: true, says: 'alive' }, ready: { isGood: true, says: 'ready' } }

async function start(routes: Routes, options: Partial<HttpOptions> = {}) {
  const [port = 0] = await freePorts(1)
  const server = await startHttp({
    routes,
    port,
    flag: '--metrics-port',
    isNamed: true,
    bind: 'loopback',
    logger: silentLogger,
    ...options,
  })
  assert.ok(server !== undefined)
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('metrics are served under both paths, with the type that Prometheus expects', async () => {
  const metrics = new Metrics()
  metrics.watchProcess('1.2.3')
  await using server = await start(watchRoutes(metrics, well))
  for (const path of ['/metrics', '/__/metrics']) {
    const answer = await fetch(server.url + path)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    assert.match(await answer.text(), /maxbrod_process_build_info/)
  }
})

test('a process that is alive and not ready says so, each at its own address', async () => {
  const vitals = { alive: { isGood: true, says: 'alive' }, ready: { isGood: false, says: 'has not joined' } }
  await using server = await start(watchRoutes(new Metrics(), vitals))
  const ask = async (path: string) => {
    const answer = await fetch(`${server.url}/${path}`)
    return [answer.status, await answer.text()]
  }
  for (const path of ['livez', 'healthz']) assert.deepEqual(await ask(path), [200, 'alive\n'])
  assert.deepEqual(await ask('readyz'), [503, 'has not joined\n'])
  vitals.alive = { isGood: false, says: 'stuck' }
  vitals.ready = { isGood: true, says: 'ready' }
  for (const path of ['livez', 'healthz']) assert.deepEqual(await ask(path), [503, 'stuck\n'])
  assert.deepEqual(await ask('readyz'), [200, 'ready\n'])
})

test('only the routes of the table are there', async () => {
  await using server = await start({
    'POST /__/flush': ({ query }) => ({ status: 202, body: `wait=${query.get('wait')}` }),
  })
  const ask = async (method: string, path: string) => (await fetch(server.url + path, { method })).status
  assert.equal(await ask('POST', '/__/flush'), 202)
  assert.equal(await (await fetch(`${server.url}/__/flush?wait=false`, { method: 'POST' })).text(), 'wait=false')
  assert.equal(await ask('GET', '/__/flush'), 405)
  assert.equal(await ask('POST', '/flush'), 404)
  assert.equal(await ask('GET', '//'), 404)
  assert.equal(await ask('GET', '/constructor'), 404)
})

test('a loopback server refuses requests that a web page sends under a name of its own', async () => {
  await using server = await start({ 'POST /__/flush': () => ({ body: 'done' }) })
  assert.equal(await statusWith(server.port, { host: 'evil.example:8082' }), 403)
  assert.equal(await statusWith(server.port, { host: 'localhost:8082' }), 200)
})

test('a loopback server refuses requests that a browser sends for a page of another site, and no others', async () => {
  await using server = await start({ 'POST /__/flush': () => ({ body: 'done' }) })
  const ask = (headers: Record<string, string>) =>
    statusWith(server.port, { host: `127.0.0.1:${server.port}`, ...headers })
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: `http://127.0.0.1:${server.port + 1}`, 'sec-fetch-site': 'same-site' },
  ])
    assert.equal(await ask(headers), 403, JSON.stringify(headers))
  const own = { origin: `http://127.0.0.1:${server.port}`, 'sec-fetch-site': 'same-origin' }
  for (const headers of [{}, { 'sec-fetch-site': 'none' }, own])
    assert.equal(await ask(headers), 200, JSON.stringify(headers))
})

test(
  'who sends no whole request, or fetches no answer, holds no connection for long',
  { timeout: 120_000 },
  async () => {
    const limits = { headMs: 100, idleMs: 100, checkMs: 50 }
    const asked = Promise.withResolvers<AbortSignal>()
    const routes: Routes = {
      'GET /large': ({ signal }) => {
        asked.resolve(signal)
        return { body: 'x'.repeat(64 * 1024 * 1024) }
      },
    }
    await using server = await start(routes, { limits })
    const half = connect(server.port, '127.0.0.1')
      .resume()
      .on('error', () => undefined)
    half.write('GET /large HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ')
    await once(half, 'close')
    const deaf = connect(server.port, '127.0.0.1').on('error', () => undefined)
    deaf.write('GET /large HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    const signal = await asked.promise
    if (!signal.aborted) await once(signal, 'abort')
    deaf.destroy()
  },
)

test('what a route throws is logged and is 500 for that request only', async () => {
  const events: unknown[] = []
  const logger: Logger = { ...silentLogger, error: (facts: LogFacts | string) => void events.push(facts) }
  await using server = await start({ 'GET /x': () => Promise.reject(new Error('no')) }, { logger })
  for (const _ of [1, 2]) {
    const answer = await fetch(`${server.url}/x`)
    assert.deepEqual([answer.status, await answer.text()], [500, 'no\n'])
  }
  assert.equal(events.length, 2)
})

test('a route learns that the client went away', async () => {
  const started = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  await using server = await start({
    'GET /slow': async ({ signal }) => {
      signal.addEventListener('abort', () => gone.resolve())
      started.resolve()
      await gone.promise
      return { body: '' }
    },
  })
  const client = new AbortController()
  const asking = fetch(`${server.url}/slow`, { signal: client.signal })
  await started.promise
  client.abort()
  await assert.rejects(asking, { name: 'AbortError' })
  await gone.promise
})

test('a port that was named and is taken ends the start; a default one only costs the server', async () => {
  await using taken = await occupied()
  const warnings: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (_facts: LogFacts | string, message?: string) => void warnings.push(message),
  }
  const options = { routes: {}, port: taken.port, flag: '--metrics-port', bind: 'loopback', logger } as const
  await assert.rejects(startHttp({ ...options, isNamed: true }), {
    code: 'PORT_IN_USE',
    message: `port ${taken.port} is taken`,
    hint: 'name another one with --metrics-port, or 0 for no server',
  })
  assert.equal(await startHttp({ ...options, isNamed: false }), undefined)
  assert.deepEqual(warnings, [`port ${taken.port} is taken; going on without this server`])
})

test('port 0 means no server', async () => {
  const options = { routes: {}, port: 0, flag: '--x', isNamed: true, bind: 'everywhere', logger: silentLogger } as const
  assert.equal(await startHttp(options), undefined)
})

test('closing does not wait for clients that keep their connection', async () => {
  const server = await start({ 'GET /x': () => ({ body: 'x' }) })
  await (await fetch(`${server.url}/x`)).text()
  await server[Symbol.asyncDispose]()
  await assert.rejects(fetch(`${server.url}/x`))
})

async function occupied() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => void server.close(() => resolve())),
  }
}

function statusWith(port: number, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request({ port, host: '127.0.0.1', path: '/__/flush', method: 'POST', headers }, answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asking.once('error', reject)
    asking.end()
  })
}
