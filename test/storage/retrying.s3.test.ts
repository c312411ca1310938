import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/runtime/clock.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import type { StorageRetry } from '../../src/storage/retrying.ts'
import { retrying } from '../../src/storage/retrying.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { testObjectStore } from '../contracts/object-store.ts'
import { eventually } from '../helpers/eventually.ts'
import { all, bodyOf, contentOf, patternOf } from '../helpers/object-bodies.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import { openBucket } from '../helpers/shared-s3.ts'

/** Short, so that a stall costs a test little. */
const shortMs = 800
const content = patternOf(2_000_000)
const facts = { 'upload-id': 'abc' }

interface World extends AsyncDisposable {
  /** Through the faults, with retries. */
  readonly store: ErasableStore
  /** The same without retries. */
  readonly driver: ErasableStore
  readonly faults: S3Faults
  readonly retries: StorageRetry[]
}

async function openWorld({ deadlineMs = 60_000, answerMs = 60_000, idleMs = 60_000 } = {}): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const bucket = stack.use(await openBucket())
  const faults = stack.use(await S3Faults.start(bucket.endpoint))
  const limits = { idleMs, answerMs, connectMs: 60_000 }
  const driver = openS3Store({ ...bucket.options, endpoint: faults.endpoint, limits, pageKeys: 3 })
  stack.defer(() => driver.close())
  const retries: StorageRetry[] = []
  const options = { clock: systemClock, random: Math.random, initialMs: 5, maxMs: 50, deadlineMs }
  const store = retrying(driver, { ...options, onRetry: retry => retries.push(retry) })
  const owned = stack.move()
  return {
    store,
    driver,
    faults,
    retries,
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync()
      assert.equal(faults.unused, 0, 'faults that never happened')
    },
  }
}

test('503 and then an answer: every verb goes on', async () => {
  await using world = await openWorld()
  const { store, faults, retries } = world
  for (const method of ['PUT', 'GET', 'HEAD', 'DELETE'])
    faults.order(new RegExp(`^${method} `), s3ErrorAnswer(503, 'SlowDown'), 3)
  assert.equal((await store.put('a/b', bodyOf(content), facts)).created, true)
  assert.ok((await contentOf(await store.get('a/b'))).equals(content))
  assert.deepEqual((await store.head('a/b'))?.facts, facts)
  await store.delete('a/b')
  assert.equal(await store.head('a/b'), undefined)
  assert.equal(retries.length, 12)
  assert.ok(retries.every(({ waitMs }) => waitMs > 0))
})

test('an upload whose answer was lost is one object, and the second attempt says that the key is taken', async () => {
  await using world = await openWorld()
  const { store, faults } = world
  faults.order(/^PUT /, { kind: 'lost answer' })
  assert.deepEqual(await store.put('a/b', bodyOf(content), facts), { created: false })
  assert.deepEqual((await store.head('a/b'))?.facts, facts, 'the caller recognizes his own upload by this')
  assert.ok((await contentOf(await store.get('a/b'))).equals(content))
})

test('an upload that breaks off leaves nothing, and is sent again from its source', async () => {
  await using world = await openWorld({ answerMs: 3_000 })
  const { store, faults } = world
  for (const atByte of [1, 700_000, 1_999_999]) faults.order(/^PUT /, { kind: 'cut request', atByte })
  faults.order(/^PUT /, { kind: 'stalled request' })
  assert.equal((await store.put('a/b', bodyOf(content), facts)).created, true)
  assert.ok((await contentOf(await store.get('a/b'))).equals(content))
})

test('a conflict of two writers is asked about again', async () => {
  await using world = await openWorld()
  world.faults.order(/^PUT /, s3ErrorAnswer(409, 'ConditionalRequestConflict'), 2)
  assert.equal((await world.store.put('a/b', bodyOf('x'), facts)).created, true)
})

test('a body that breaks off or stalls goes on at the byte it had reached', { timeout: 120_000 }, async () => {
  await using world = await openWorld({ idleMs: shortMs })
  const { store, faults, retries } = world
  await store.put('a/b', bodyOf(content), facts)
  for (const atByte of [0, 1, 500_000]) faults.order(/^GET /, { kind: 'cut answer', atByte })
  for (const atByte of [0, 300_000]) faults.order(/^GET /, { kind: 'stalled answer', atByte })
  faults.order(/^GET /, s3ErrorAnswer(500, 'InternalError'))
  faults.order(/^GET /, { kind: 'cut answer', atByte: 100_000 })
  assert.ok((await contentOf(await store.get('a/b'))).equals(content))
  // More, where the server was silent for as long by itself.
  assert.equal(faults.seen.filter(line => line.startsWith('GET ')).length, retries.length + 1)
  assert.ok(retries.length >= 7, `${retries.length} retries`)
})

test('a range that breaks off ends where it should', async () => {
  await using world = await openWorld()
  const { store, faults } = world
  await store.put('a/b', bodyOf(content), facts)
  for (const atByte of [400, 50_000]) faults.order(/^GET /, { kind: 'cut answer', atByte })
  const piece = await contentOf(await store.get('a/b', { start: 1_000, bytes: 1_500_000 }))
  assert.ok(piece.equals(content.subarray(1_000, 1_501_000)))
})

test('an object that is replaced while its body is resumed is OBJECT_CHANGED', async () => {
  await using world = await openWorld()
  const { store, faults } = world
  await store.put('a/b', bodyOf(content), facts)
  faults.order(/^GET /, { kind: 'cut answer', atByte: 500_000 })
  const read = await store.get('a/b')
  await store.delete('a/b')
  await store.put('a/b', bodyOf(patternOf(2_000_004)), facts)
  await assert.rejects(contentOf(read), { code: 'OBJECT_CHANGED' })
})

test('a store that takes no notice of If-Match, or of a range, is found out', async () => {
  await using world = await openWorld()
  const { store, faults } = world
  const put = await store.put('a/b', bodyOf(content), facts)
  assert.ok(put.created)
  faults.order(/^GET /, { kind: 'changed answer', headers: { etag: '"other"' } })
  await assert.rejects(store.get('a/b', { ifMatch: put.etag }), { code: 'OBJECT_CHANGED' })
  faults.order(/^GET /, { kind: 'changed answer', headers: { 'content-range': 'bytes 0-9/2000000' } })
  await assert.rejects(store.get('a/b', { start: 5, bytes: 10 }), { code: 'STORAGE_REFUSED' })
  // The whole object, where a part was wanted.
  faults.order(/^GET /, { kind: 'answer', status: 200, body: 'x'.repeat(100), headers: { etag: '"x"' } })
  await assert.rejects(store.get('a/b', { bytes: 10 }), { code: 'STORAGE_REFUSED' })
})

test('a slow reader is not taken for a store that stalls', { timeout: 120_000 }, async () => {
  await using world = await openWorld({ idleMs: shortMs })
  const { store, retries } = world
  await store.put('a/b', bodyOf(patternOf(20_000_000)), facts)
  // A server that was silent for as long by itself is not so each time.
  await eventually('nobody gives up', async () => {
    const before = retries.length
    const chunks: Buffer[] = []
    const read = await store.get('a/b')
    for await (const chunk of read.body) {
      chunks.push(chunk)
      if (chunks.length <= 2) await systemClock.sleep(shortMs * 2.5)
    }
    assert.ok(Buffer.concat(chunks).equals(patternOf(20_000_000)))
    return retries.length === before
  })
})

test('a listing goes on behind the last key, and the folders behind the last name', async () => {
  await using world = await openWorld({ idleMs: shortMs })
  const { store, faults } = world
  const keys = Array.from({ length: 11 }, (_, index) => `t${index % 5}/${String(index).padStart(2, '0')}`).sort()
  for (const key of keys) await store.put(key, bodyOf('x'), {})
  for (const fault of [
    s3ErrorAnswer(503, 'SlowDown'),
    { kind: 'cut answer', atByte: 50 },
    { kind: 'stalled answer', atByte: 0 },
  ] as const) {
    for (const page of [0, 2]) {
      for (let passed = 0; passed < page; passed++)
        faults.order(/^GET .*list-type/, { kind: 'changed answer', headers: {} })
      faults.order(/^GET .*list-type/, fault)
      assert.deepEqual(
        (await all(store.list(''))).map(({ key }) => key),
        keys,
      )
    }
    faults.order(/^GET .*list-type/, { kind: 'changed answer', headers: {} })
    faults.order(/^GET .*list-type/, fault)
    assert.deepEqual(await all(store.folders('')), ['t0', 't1', 't2', 't3', 't4'])
  }
})

test('patience ends: the last error comes out', { timeout: 120_000 }, async () => {
  await using world = await openWorld({ deadlineMs: 1_000 })
  const { store, faults, retries } = world
  await store.put('a/b', bodyOf(content), facts)
  faults.rule(() => s3ErrorAnswer(503, 'SlowDown'))
  await assert.rejects(store.head('a/b'), { code: 'STORAGE_UNREACHABLE' })
  assert.ok(retries.length > 0)
  await assert.rejects(all(store.list('')), { code: 'STORAGE_UNREACHABLE' })
})

test('a body that breaks off at once, for ever, ends as well', { timeout: 120_000 }, async () => {
  await using world = await openWorld({ deadlineMs: 400 })
  const { store, faults } = world
  await store.put('a/b', bodyOf(content), facts)
  faults.rule(() => ({ kind: 'cut answer', atByte: 0 }))
  await assert.rejects(contentOf(await store.get('a/b')), { code: 'STORAGE_UNREACHABLE' })
})

test('what is final is not tried again', async () => {
  await using world = await openWorld()
  const { store, faults, retries } = world
  faults.order(/^PUT /, s3ErrorAnswer(403, 'AccessDenied'))
  faults.order(/^PUT /, s3ErrorAnswer(400, 'InvalidArgument'))
  await assert.rejects(store.put('a/b', bodyOf('x'), {}), { code: 'STORAGE_AUTH' })
  await assert.rejects(store.put('a/b', bodyOf('x'), {}), { code: 'STORAGE_REFUSED' })
  await assert.rejects(store.get('a/b'), { code: 'OBJECT_MISSING' })
  assert.deepEqual(retries, [])
})

test('an abort ends a request that nobody answers, and the wait between two attempts', async () => {
  await using world = await openWorld()
  const { store, driver, faults, retries } = world
  const control = new AbortController()
  faults.rule(() => {
    setImmediate(() => control.abort(new Error('enough')))
    return { kind: 'stalled request' }
  })
  await assert.rejects(store.head('a/b', control.signal), { message: 'enough' })
  assert.deepEqual(retries, [])
  faults.rule(() => s3ErrorAnswer(503, 'SlowDown'))
  const slow = retrying(driver, {
    clock: systemClock,
    random: () => 1,
    initialMs: 60_000,
    maxMs: 60_000,
    deadlineMs: 1e9,
    onRetry: () => setImmediate(() => later.abort(new Error('enough'))),
  })
  const later = new AbortController()
  await assert.rejects(slow.head('a/b', later.signal), { message: 'enough' })
})

testObjectStore(
  's3 with retries, where every third request fails',
  async () => {
    const world = await openWorld()
    let requests = 0
    world.faults.rule(line => {
      requests += 1
      if (requests % 3 !== 0) return undefined
      if (line.startsWith('PUT ') && requests % 2 === 0) return { kind: 'cut request', atByte: 1 }
      if (line.startsWith('GET ') && requests % 2 === 0) return { kind: 'cut answer', atByte: 100 }
      return s3ErrorAnswer(503, 'SlowDown')
    })
    return {
      store: world.store,
      async [Symbol.asyncDispose]() {
        world.faults.rule(() => undefined)
        await world[Symbol.asyncDispose]()
      },
    }
  },
  { pageKeys: 3, sortsAllOfUnicode: false },
)
