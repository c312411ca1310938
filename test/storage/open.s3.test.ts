import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from '../../src/config/parse.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { storageMetrics } from '../../src/storage/metrics.ts'
import { openStorage, storageNearby } from '../../src/storage/open.ts'
import { storageOptions } from '../../src/storage/options.ts'
import { testObjectStore } from '../contracts/object-store.ts'
import { bodyOf, contentOf } from '../helpers/object-bodies.ts'
import { optionsOf } from '../helpers/options.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import { openBucket } from '../helpers/shared-s3.ts'

function newDeps() {
  return { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: new Metrics() }
}

testObjectStore(
  'a directory, as commands open it',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
    return {
      store: await openStorage(optionsOf(storageOptions, `--storage=file://${folder}`), newDeps()),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    }
  },
  { pageKeys: 50 },
)

test('a bucket, as commands open it: retried, logged and counted', { timeout: 120_000 }, async () => {
  await using bucket = await openBucket()
  await using faults = await S3Faults.start(bucket.endpoint)
  const warnings: Record<string, unknown>[] = []
  const logger = { ...silentLogger, child: () => logger, warn: (line: unknown) => void warnings.push(Object(line)) }
  const deps = { ...newDeps(), logger }
  const flags = [`--storage=${bucket.url('prod')}`, `--s3-endpoint=${faults.endpoint}`, '--s3-region=eu-central-1']
  const store = await openStorage(optionsOf(storageOptions, ...flags), deps)
  assert.equal(store.url, bucket.url('prod'))
  faults.order(/^PUT /, s3ErrorAnswer(503, 'SlowDown'))
  assert.equal((await store.put('a/b', bodyOf('hello'), {})).created, true)
  assert.equal((await store.put('a/b', bodyOf('hello'), {})).created, false)
  assert.equal(String(await contentOf(await store.get('a/b'))), 'hello')
  await using left = await store.get('a/b')
  await left[Symbol.asyncDispose]()
  await assert.rejects(store.get('a/c'), { code: 'OBJECT_MISSING' })
  await assert.rejects(store.get('a/b', { ifMatch: '"other"' }), { code: 'OBJECT_CHANGED' })
  await assert.rejects(store.head('a/b', AbortSignal.abort(new Error('enough'))), { message: 'enough' })
  for await (const { key } of store.list('')) assert.equal(key, 'a/b')
  store.close()

  const { requestsTotal, sentBytesTotal, receivedBytesTotal, retriesTotal, requestSeconds } =
    deps.metrics.of(storageMetrics)
  const counts: [Parameters<typeof requestsTotal.add>[1], number][] = [
    [{ verb: 'put', outcome: 'temporary' }, 1],
    [{ verb: 'put', outcome: 'ok' }, 1],
    [{ verb: 'put', outcome: 'exists' }, 1],
    [{ verb: 'get', outcome: 'ok' }, 1],
    [{ verb: 'get', outcome: 'left' }, 1],
    [{ verb: 'get', outcome: 'missing' }, 1],
    [{ verb: 'get', outcome: 'changed' }, 1],
    [{ verb: 'head', outcome: 'aborted' }, 1],
    [{ verb: 'list', outcome: 'ok' }, 1],
    [{ verb: 'delete', outcome: 'ok' }, 0],
  ]
  for (const [labels, count] of counts) assert.equal(await requestsTotal.value(labels), count, JSON.stringify(labels))
  assert.equal(await sentBytesTotal.value(), 5)
  assert.equal(await receivedBytesTotal.value(), 5)
  assert.equal(await retriesTotal.value({ verb: 'put' }), 1)
  assert.equal(await requestSeconds.value({ verb: 'put' }), 3)
  assert.deepEqual(
    warnings.map(({ verb, key }) => ({ verb, key })),
    [{ verb: 'put', key: 'a/b' }],
  )
})

test('a wrong prefix: what exists near it is named by URLs that can be used', async () => {
  await using bucket = await openBucket()
  const flags = (url: string) => optionsOf(storageOptions, `--storage=${url}`, `--s3-endpoint=${bucket.endpoint}`)
  const root = await openStorage(flags(bucket.url()), newDeps())
  for (const key of ['shop/prod/t/0/x', 'shop/test/t/0/x', 'other/t/0/x']) await root.put(key, bodyOf('x'), {})
  root.close()
  const nearby = (prefix?: string) => storageNearby(flags(bucket.url(prefix)), newDeps())
  assert.deepEqual(await nearby('shop/prd'), [bucket.url('shop/prod'), bucket.url('shop/test')])
  assert.deepEqual(
    await nearby('shop'),
    ['shop/prod', 'shop/test', 'other'].map(name => bucket.url(name)),
  )
  assert.deepEqual(
    await nearby(),
    ['other', 'shop'].map(name => bucket.url(name)),
  )
  assert.deepEqual(await nearby('no/where'), [])
  assert.deepEqual(await storageNearby(flags('s3://maxbrod-no-such-bucket/a'), newDeps()), [])
})

test('a wrong folder: its neighbours are named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
  const options = (name: string) => optionsOf(storageOptions, `--storage=${join(folder, name)}`)
  const store = await openStorage(options('prod'), newDeps())
  await store.put('t/0/x', bodyOf('x'), {})
  await store.put('@points/x', bodyOf('x'), {})
  assert.deepEqual(await storageNearby(options('prod'), newDeps()), [`file://${folder}/prod/t`])
  assert.deepEqual(await storageNearby(options('prd'), newDeps()), [`file://${folder}/prod`])
  await rm(folder, { recursive: true })
})

test('the variables of the SDK and of the first seed work, and http:// off this machine is a warning', () => {
  const env = { STORAGE_URL: 's3://bucket/prefix', AWS_ENDPOINT_URL: 'http://minio:9000', AWS_REGION: 'eu-west-1' }
  const { values, warnings } = parse([storageOptions], { argv: [], env, readFile: () => '' })
  assert.deepEqual(values.storage.storage, { kind: 's3', bucket: 'bucket', prefix: 'prefix' })
  assert.equal(values.storage.s3Endpoint, 'http://minio:9000')
  assert.equal(values.storage.s3Region, 'eu-west-1')
  assert.equal(values.storage.storageDeadline, 300_000)
  assert.match(warnings.join('\n'), /AWS_ENDPOINT_URL: http:\/\/ is not encrypted/)
  assert.throws(() => parse([storageOptions], { argv: [], env: {}, readFile: () => '' }), { code: 'USAGE' })
})
