import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTile } from '../../src/catalog/create-tile.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { bodyOf, contentOf } from '../helpers/object-bodies.ts'
import { objectsIn } from '../helpers/stored-backup.ts'
import type { TileFile } from '../helpers/tile-files.ts'
import { place, putTile, tileFile } from '../helpers/tile-files.ts'

const ours = await tileFile(10, 20, { uploadId: 'ours' })

function create(store: ObjectStore, file: TileFile = ours) {
  return createTile(store, place, file.from, bodyOf(file.bytes), file.facts)
}

/** A memory store in which a few verbs do something else. */
function storeWith(change: (store: ObjectStore) => Partial<ObjectStore>): ObjectStore {
  const store = newMemoryStore()
  return { ...store, ...change(store) }
}

test('a tile is created, whole and with its facts', async () => {
  const store = newMemoryStore()
  assert.deepEqual(await create(store), { kind: 'created' })
  assert.deepEqual(await contentOf(await store.get(ours.key)), ours.bytes)
  assert.equal((await store.head(ours.key))?.facts['upload-id'], 'ours')
})

test('a tile of our own whose answer was lost is found to be there, however often it is put', async () => {
  const store = newMemoryStore()
  await create(store)
  const before = await objectsIn(store)
  assert.deepEqual(await create(store), { kind: 'created' })
  assert.deepEqual(await objectsIn(store), before)
})

test('another valid tile of the same partition is adopted up to its end, however its bytes differ', async () => {
  for (const to of [11, 20, 5_000]) {
    const store = newMemoryStore()
    await putTile(store, await tileFile(10, to, { uploadId: 'theirs' }))
    const before = await objectsIn(store)
    assert.deepEqual(await create(store), { kind: 'adopted', coversTo: to })
    assert.deepEqual(await objectsIn(store), before)
  }
})

test('where a copy of the bucket lost the facts, the header of the file in the way tells the same', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(10, 15), {})
  assert.deepEqual(await create(store), { kind: 'adopted', coversTo: 15 })
})

const foreign = {
  'of another cluster': [await tileFile(10, 20, { clusterId: 'other' }), /written for cluster other, ours is cluster/],
  'of another incarnation': [
    await tileFile(10, 20, { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    /written for topic id AAAAAAAAAAAAAAAAAAAAAA, ours is Hx3y8Ra6RBe9-hFQXtB2Kg/,
  ],
  'of another partition, under our name': [
    await tileFile(10, 20, { partition: 4 }),
    /stored under another file's name/,
  ],
  'of another place in the partition': [
    await tileFile(11, 20).then(file => ({ ...file, key: ours.key })),
    /stored under another file's name/,
  ],
  'that is no Avro file': [{ ...ours, bytes: Buffer.from('hello') }, /no Avro container/],
  'that is empty': [{ ...ours, bytes: Buffer.alloc(0) }, /ends inside its header/],
  'that is cut short': [
    { ...ours, bytes: ours.bytes.subarray(0, -1), facts: { ...ours.facts, uploadId: 'theirs' } },
    /has [0-9]+ bytes, and its header promises [0-9]+/,
  ],
  'whose facts say something else than its header': [
    { ...ours, facts: { ...ours.facts, coversTo: 25, uploadId: 'theirs' } },
    /the facts beside it contradict its header/,
  ],
} as const

for (const [what, [file, reason]] of Object.entries(foreign)) {
  test(`an object ${what} is a conflict: it is not touched, and our bytes are kept`, async () => {
    const store = newMemoryStore()
    await putTile(store, file)
    const before = await objectsIn(store)
    const outcome = await create(store)
    assert.equal(outcome.kind, 'conflict')
    assert.ok(outcome.kind === 'conflict')
    assert.match(outcome.reason, reason)
    assert.match(outcome.keptAs, /^@conflicts\/[0-9a-f]{64}\.avro$/)
    assert.deepEqual(await contentOf(await store.get(outcome.keptAs)), ours.bytes)
    const now = await objectsIn(store)
    assert.equal(now.size, 2)
    for (const [key, etag] of before) assert.equal(now.get(key), etag)
  })
}

test('a conflict that comes again keeps the bytes once', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(10, 20, { clusterId: 'other' }))
  await create(store)
  const before = await objectsIn(store)
  await create(store)
  assert.deepEqual(await objectsIn(store), before)
})

test('an object that is taken and then missing is put again', async () => {
  let puts = 0
  const store = storeWith(real => ({
    // Like a store whose index is behind: the first two answers speak of an object that is gone.
    put: async (key, body, facts, signal) =>
      (puts += 1) <= 2 ? { created: false } : real.put(key, body, facts, signal),
  }))
  assert.deepEqual(await create(store), { kind: 'created' })
  assert.equal(puts, 3)
})

test('an object that stays taken and missing is a temporary error, after a few tries', async () => {
  const store = storeWith(() => ({ put: async () => ({ created: false }) }))
  await assert.rejects(create(store), { code: 'STORAGE_UNREACHABLE' })
})

test('a store that keeps fewer bytes than it was given is found out before anything is committed', async () => {
  for (const length of [0, 5, 100, ours.bytes.length - 1]) {
    const store = storeWith(real => ({
      put: (key, _, facts, signal) => real.put(key, bodyOf(ours.bytes.subarray(0, length)), facts, signal),
    }))
    await assert.rejects(create(store), { code: 'OBJECT_CORRUPT' }, `${length} bytes`)
  }
})

test('a store that keeps the bytes and drops the facts will do', async () => {
  const store = storeWith(real => ({ put: (key, body, _, signal) => real.put(key, body, {}, signal) }))
  assert.deepEqual(await create(store), { kind: 'created' })
  // The answer may be lost, too: without an upload id our own tile is somebody's, and is gone on behind.
  assert.deepEqual(await create(store), { kind: 'adopted', coversTo: 20 })
})

test('of many workers with the same tile, one creates it and all the others adopt it', async () => {
  const store = newMemoryStore()
  const files = await Promise.all(
    Array.from({ length: 8 }, (_, n) => tileFile(10, 20 + n, { uploadId: `worker-${n}` })),
  )
  const outcomes = await Promise.all(files.map(file => create(store, file)))
  const winners = outcomes.filter(({ kind }) => kind === 'created')
  assert.equal(winners.length, 1)
  const to = files[outcomes.indexOf(winners[0]!)]!.facts.coversTo
  for (const outcome of outcomes)
    if (outcome.kind !== 'created') assert.deepEqual(outcome, { kind: 'adopted', coversTo: to })
})

test('an abort ends it, and the next try finds out what became of it', async () => {
  const end = new AbortController()
  const store = storeWith(real => ({
    async put(key, body, facts) {
      const put = await real.put(key, body, facts)
      end.abort(new Error('over'))
      return put
    },
  }))
  await assert.rejects(createTile(store, place, 10, bodyOf(ours.bytes), ours.facts, end.signal), /over/)
  assert.deepEqual(await create(store), { kind: 'created' })
})

test('a tile of our own that ends elsewhere was put before the spool was cut back: it is adopted, not taken for ours', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(10, 25, { uploadId: 'ours' }))
  assert.deepEqual(await create(store), { kind: 'adopted', coversTo: 25 })
})
