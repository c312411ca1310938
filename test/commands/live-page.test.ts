import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { renderPage } from '../../src/archive/report/page.ts'
import { policyOfServer } from '../../src/archive/report/style.ts'
import type { WorkerView } from '../../src/backup/view.ts'
import { executorLook } from '../../src/commands/executor-look.ts'
import { pageOfExecutor } from '../../src/commands/executor-page.ts'
import { LivePage } from '../../src/commands/live-page.ts'
import { pageOfWorker } from '../../src/commands/worker-page.ts'
import type { ExecutorView } from '../../src/executor/view.ts'
import { startHttp } from '../../src/observe/http.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { freePorts } from '../helpers/ports.ts'
import { madeAtMs, samplePage } from '../helpers/sample-pages.ts'

const sample = samplePage({ topics: 1, partitions: 1 })
const shown = { nowMs: madeAtMs, url: 's3://backups/shop', writer: 'maxbrod 1.2.3' }

async function serve(who: 'loopback' | 'everywhere' | 'off', clock = new ManualClock()) {
  const page = new LivePage(clock, { livePage: who })
  const [port = 0] = await freePorts(1)
  const options = { port, flag: '--metrics-port', isNamed: true, bind: 'everywhere', logger: silentLogger } as const
  const server = await startHttp({ ...options, routes: { 'GET /metrics': () => ({ body: 'up 1\n' }), ...page.routes } })
  return { page, port, [Symbol.asyncDispose]: async () => server?.[Symbol.asyncDispose]() }
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function ask(port: number, path = '/', { method = 'GET', host = `127.0.0.1:${port}` } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers: { host } }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    asked.once('error', reject).end()
  })
}

test('the page is at / with a policy that allows nothing but its style, is read only, and is gone when its command is', async () => {
  await using server = await serve('loopback')
  const { page, port } = server
  assert.equal((await ask(port)).status, 503, 'the worker has not begun')
  {
    using _ = page.connect(() => sample)
    const { status, headers, body } = await ask(port)
    assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=utf-8'])
    assert.equal(headers['content-security-policy'], policyOfServer)
    assert.deepEqual([headers['cache-control'], headers['referrer-policy']], ['no-store', 'no-referrer'])
    assert.equal(body, renderPage(sample, { live: { refreshSeconds: undefined, canRefreshSeconds: 10 } }))
    assert.deepEqual(await ask(port, '/', { method: 'HEAD' }).then(one => [one.status, one.body]), [200, ''])
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.equal((await ask(port, '/', { method })).status, 405)
  }
  assert.equal((await ask(port)).status, 503)
  assert.equal((await ask(port, '/metrics')).body, 'up 1\n')
})

test('it loads itself again only for who asks for it, and not more often than that', async () => {
  await using server = await serve('loopback')
  const { page, port } = server
  using _ = page.connect(() => sample)
  assert.match((await ask(port, '/?refresh=10')).body, /<meta http-equiv=refresh content=10>/)
  for (const path of ['/', '/?refresh=1', '/?refresh=10&refresh=1;url=x', '/?refresh=%22%3E'])
    assert.equal(/http-equiv=refresh/.test((await ask(port, path)).body), path.startsWith('/?refresh=10'), path)
})

test('another host does not see it unless that was wished, nor a web page under a name of its own; metrics are for all', async () => {
  await using server = await serve('loopback')
  using _ = server.page.connect(() => sample)
  assert.deepEqual(
    await ask(server.port, '/', { host: 'evil.example' }).then(one => [
      one.status,
      one.headers['content-security-policy'],
    ]),
    [403, "default-src 'none'; frame-ancestors 'none'"],
  )
  assert.equal((await ask(server.port, '/', { host: `localhost:${server.port}` })).status, 200)
  assert.equal((await ask(server.port, '/metrics', { host: 'evil.example' })).status, 200)
  await using open = await serve('everywhere')
  using _2 = open.page.connect(() => sample)
  assert.equal((await ask(open.port, '/', { host: 'worker-0.example' })).status, 200)
  await using off = await serve('off')
  using _3 = off.page.connect(() => sample)
  assert.equal((await ask(off.port)).status, 404)
})

test('however many ask, the work is looked at once in three seconds', async () => {
  const clock = new ManualClock()
  await using server = await serve('loopback', clock)
  let looks = 0
  using _ = server.page.connect(() => {
    looks++
    return sample
  })
  const many = () =>
    Promise.all(Array.from({ length: 40 }, (_one, n) => ask(server.port, n % 2 === 0 ? '/' : '/?refresh=10')))
  assert.ok((await many()).every(({ status }) => status === 200))
  clock.advance(2_999)
  await many()
  assert.equal(looks, 1)
  clock.advance(1)
  await many()
  assert.equal(looks, 2)
})

const view: WorkerView = {
  group: 'shop',
  partitions: [
    {
      topic: 'orders',
      partition: 0,
      origin: 0,
      durableTo: 80,
      readTo: 90,
      end: 100,
      bufferedBytes: 2_048,
      bufferedAgeMs: 61_000,
    },
    {
      topic: 'orders',
      partition: 1,
      origin: 10,
      durableTo: 40,
      readTo: 40,
      end: 40,
      bufferedBytes: 0,
      bufferedAgeMs: 0,
    },
    {
      topic: 'users',
      partition: 0,
      origin: 0,
      durableTo: 0,
      readTo: 0,
      end: undefined,
      bufferedBytes: 0,
      bufferedAgeMs: 0,
    },
  ],
  done: {
    result: 'partial',
    files: 3,
    records: 60,
    bytes: 4_096,
    partitions: [],
    stopped: [{ topic: 'users', partition: 0, code: 'TILE_CONFLICT', message: 'users-0: something lies there' }],
    gaps: [{ topic: 'orders', partition: 1, from: 20, to: 30, reason: 'retention' }],
    cuts: [],
    behindOpenTransaction: [],
    held: [],
    notUploaded: [],
  },
  memoryBytes: 1_024,
  isDiskFull: false,
}

test('a worker shows what is in files, in its hands and still to read, what it declared and what stopped', () => {
  const page = pageOfWorker(view, shown)
  assert.equal(page.status, 'FAILURE')
  assert.equal(
    page.headline,
    '3 partitions of this worker · 10 offsets are read and not in files, the oldest for 1m01s · 10 offsets to read',
  )
  assert.ok(page.notes.includes('users-0: something lies there (TILE_CONFLICT)'))
  assert.deepEqual(
    page.coverage?.topics.flatMap(({ name, partitions }) =>
      partitions.map(one => [
        `${name} ${one.partition} ${one.status}`,
        ...one.segments.map(({ kind, from, to }) => `${kind} ${from} ${to}`),
      ]),
    ),
    [
      ['orders 0 OK', 'FOUND 0 80', 'UPLOADING 80 90', 'LATE 90 100'],
      ['orders 1 WARNING', 'FOUND 10 20', 'GAP 20 30', 'FOUND 30 40'],
      ['users 0 FAILURE'],
    ],
  )
  assert.deepEqual(page.coverage.topics[0]?.ranges, [
    'partition 1: GAP offsets 20 to 29: Kafka no longer had them (retention)',
  ])
  assert.deepEqual(page.coverage.topics[0].partitions[0]?.cells, ['80', '90', '100', '2.00 KiB', '1m01s'])
  const calm = { ...view, done: { ...view.done, stopped: [], gaps: [] } }
  assert.equal(pageOfWorker(calm, shown).status, 'OK')
  assert.equal(pageOfWorker({ ...calm, isDiskFull: true }, shown).status, 'WARNING')
})

test('an executor shows how far each target is, how fast it goes, and which cannot go on and why', () => {
  const seen: ExecutorView = {
    planTopic: 'maxbrod.plan',
    executor: 'abc',
    planPartitions: 2,
    targets: [
      { topic: 'orders', partition: 1, planned: 100, restored: undefined },
      { topic: 'orders', partition: 0, planned: 100, restored: 60 },
      { topic: 'users', partition: 0, planned: 50, restored: 50 },
    ],
    failed: [{ topic: 'orders', partition: 0, message: 'the file is damaged' }],
    recordsSent: 110,
  }
  const page = pageOfExecutor(seen, { ...shown, recordsPerSecond: 28 })
  assert.equal(page.headline, '110 of 250 records of the partitions that this executor has met, 28 records/s, 5s to go')
  assert.deepEqual([page.status, page.notes[0]], ['FAILURE', 'orders-0: the file is damaged'])
  assert.deepEqual(
    page.restore?.topics.map(one => [one.topic, one.partitions, one.recordsRestored]),
    [
      ['orders', '0 of 2', 60],
      ['users', '1 of 1', 50],
    ],
  )
  assert.deepEqual(
    page.coverage?.topics[0]?.partitions.map(({ status, segments, cells }) => [
      status,
      ...segments.map(({ kind, to }) => `${kind} ${to}`),
      ...cells,
    ]),
    [
      ['FAILURE', 'FOUND 60', 'LOST 100', '100', '60'],
      ['OK', 'LATE 100', '100', 'not looked at yet'],
    ],
  )
  const clock = new ManualClock()
  let recordsSent = 0
  const look = executorLook(() => ({ ...seen, failed: [], recordsSent }), clock, 'maxbrod')
  assert.doesNotMatch(look().headline, /records\/s/, 'nobody knows yet')
  clock.advance(4_000)
  recordsSent = 400
  assert.match(look().headline, /, 100 records\/s, 2s to go$/)
})
