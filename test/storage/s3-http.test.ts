import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectStore } from '../../src/storage/port.ts'
import type { HttpLimits } from '../../src/storage/s3-http.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { bodyOf, contentOf, patternOf } from '../helpers/object-bodies.ts'
import type { Fault } from '../helpers/s3-faults.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
const large: Fault = { kind: 'answer', status: 200, body: 'x'.repeat(3_000_000), headers: { etag: '"x"' } }
const small: Fault = { kind: 'answer', status: 200, body: 'x', headers: { etag: '"x"' } }

function storeAt({ endpoint }: S3Faults, limits: Partial<HttpLimits> = {}): ObjectStore & Disposable {
  const store = openS3Store({ bucket: 'shop', prefix: '', endpoint, credentials, limits })
  return { ...store, [Symbol.dispose]: () => store.close() }
}

test('requests one after the other share one connection', async () => {
  await using faults = await S3Faults.start()
  using store = storeAt(faults)
  faults.rule(() => small)
  for (let n = 0; n < 20; n++) await contentOf(await store.get('a/b'))
  assert.equal(faults.connections, 1)
})

test('whatever becomes of a body, its connection does not stay away', { timeout: 120_000 }, async () => {
  await using faults = await S3Faults.start()
  // If any of these held on to the only connection, the next request would wait for ever.
  using store = storeAt(faults, { connectionsMax: 1 })
  faults.rule(() => large)
  const disposed = await store.get('a/b')
  await disposed[Symbol.asyncDispose]()
  const left = await store.get('a/b')
  // oxlint-disable-next-line no-unreachable-loop -- leaving is the point
  for await (const _ of left.body) break
  const control = new AbortController()
  await store.get('a/b', { signal: control.signal })
  control.abort(new Error('enough'))
  await assert.rejects(store.get('a/b', { ifMatch: '"other"' }), { code: 'OBJECT_CHANGED' })
  await assert.rejects(store.get('a/b', { start: 1, bytes: 1 }), { code: 'STORAGE_REFUSED' })
  faults.rule(() => s3ErrorAnswer(503, 'SlowDown'))
  await assert.rejects(store.put('a/b', bodyOf(patternOf(5_000_000)), {}), { code: 'STORAGE_UNREACHABLE' })
  faults.rule(() => small)
  await contentOf(await store.get('a/b'))
})

test('an upload may be refused before it has been read', { timeout: 120_000 }, async () => {
  await using faults = await S3Faults.start()
  using store = storeAt(faults, { connectionsMax: 1 })
  faults.rule(() => ({ kind: 'early answer', status: 403 }))
  await assert.rejects(store.put('a/b', bodyOf(patternOf(20_000_000)), {}), { code: 'STORAGE_AUTH' })
  faults.rule(() => small)
  await contentOf(await store.get('a/b'))
})

test('an upload is not silent as long as bytes move, however long it takes', { timeout: 120_000 }, async () => {
  await using faults = await S3Faults.start()
  // Far more than the buffers of both sides hold.
  const bytes = 24_000_000
  const upload = async (answerMs: number) => {
    using store = storeAt(faults, { answerMs })
    faults.rule(() => ({ kind: 'slow request', bytesPerSecond: (bytes / answerMs) * 500, answer: small }))
    const startedAt = performance.now()
    assert.equal((await store.put('a/b', bodyOf(Buffer.alloc(bytes), 1 << 20), {})).created, true)
    assert.ok(performance.now() - startedAt > answerMs, 'it must take longer than the limit')
  }
  // A machine that stands still moves no bytes: then once more, with more patience.
  await upload(2_000).catch(() => upload(20_000))
})

test('an upload that nobody reads is given up, and its source is closed', { timeout: 120_000 }, async () => {
  await using faults = await S3Faults.start()
  using store = storeAt(faults, { answerMs: 300 })
  faults.rule(() => ({ kind: 'stalled request' }))
  let isClosed = false
  const body = bodyOf(Buffer.alloc(24_000_000), 1 << 20)
  const watched = {
    ...body,
    async *open() {
      try {
        yield* body.open()
      } finally {
        isClosed = true
      }
    },
  }
  await assert.rejects(store.put('a/b', watched, {}), { code: 'STORAGE_UNREACHABLE' })
  assert.equal(isClosed, true)
})

test('many requests at once get their own answers', async () => {
  await using faults = await S3Faults.start()
  using store = storeAt(faults)
  faults.rule(line => ({ ...small, kind: 'answer', status: 200, body: line.split(/[/?]/)[3]! }))
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => String(await contentOf(await store.get(`t/${n}`)))),
  )
  assert.deepEqual(
    answers,
    Array.from({ length: 100 }, (_, n) => String(n)),
  )
  assert.equal(new Set(faults.seen).size, 100)
})
