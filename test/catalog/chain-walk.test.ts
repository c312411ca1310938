import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readOrigin, walkChain } from '../../src/catalog/chain-walk.ts'
import { writePrune } from '../../src/catalog/prunes.ts'
import { tileKey } from '../../src/format/keys.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { checkAsync } from '../helpers/properties.ts'
import { identity, place, putTile, tileFile } from '../helpers/tile-files.ts'

const never = new AbortController().signal

async function storeOf(...spans: (readonly [from: number, to: number])[]): Promise<ErasableStore> {
  const store = newMemoryStore()
  for (const [from, to] of spans) await putTile(store, await tileFile(from, to))
  return store
}

async function walk(store: ErasableStore, start: number | 'the first tile' = 'the first tile') {
  const found = await walkChain(store, place, identity, start, never)
  if (found === undefined) return undefined
  const { leaderEpoch: _, unchecked: __, isLastEncrypted: ___, ...rest } = found
  return rest
}

test('a chain tells the leader epoch of its end', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(0, 10, { leaderEpoch: 3 }))
  await putTile(store, await tileFile(10, 12, { leaderEpoch: 7 }))
  const epochs = [0, 10, 12].map(async start => (await walkChain(store, place, identity, start, never))?.leaderEpoch)
  assert.deepEqual(await Promise.all(epochs), [7, 7, undefined])
})

test('without a tile there is no chain, and behind a known end there is nothing new', async () => {
  const store = newMemoryStore()
  assert.equal(await walk(store), undefined)
  assert.deepEqual(await walk(store, 40), { end: 40, lastFrom: undefined, nextFrom: undefined })
})

test('a chain ends where its last tile ends, from wherever it is followed', async () => {
  const store = await storeOf([5, 10], [10, 12], [12, 40])
  const end = { end: 40, lastFrom: 12, nextFrom: undefined }
  assert.deepEqual(await walk(store), end)
  assert.deepEqual(await walk(store, 10), end)
  assert.deepEqual(await walk(store, 12), end)
  assert.deepEqual(await walk(store, 40), { ...end, lastFrom: undefined })
})

test('a chain ends at a hole, and says where files go on behind it', async () => {
  const store = await storeOf([0, 10], [10, 12], [15, 40], [40, 50])
  assert.deepEqual(await walk(store), { end: 12, lastFrom: 10, nextFrom: 15 })
  assert.deepEqual(await walk(store, 12), { end: 12, lastFrom: undefined, nextFrom: 15 })
})

test('what a prune has given up is no hole, whether its files are gone or not', async () => {
  const store = await storeOf([0, 10], [15, 20], [20, 40], [40, 50])
  const pruned = { place, from: 0, to: 20, files: 3, records: 1, bytes: 1 }
  await writePrune(store, { writer: 'test', partitions: [pruned], objects: [] }, 1_000)
  const end = { end: 50, lastFrom: 40, nextFrom: undefined }
  assert.deepEqual(await walk(store), end)
  for (const stale of [0, 5, 10, 12, 20]) assert.deepEqual(await walk(store, stale), end, `from ${stale}`)
})

test('a chain whose last file was taken away goes on where a prune ended, not before: what is written there would not count', async () => {
  const store = await storeOf()
  const pruned = { place, from: 0, to: 20, files: 1, records: 1, bytes: 1 }
  await writePrune(store, { writer: 'test', partitions: [pruned], objects: [] }, 1_000)
  assert.deepEqual(await walk(store), { end: 20, lastFrom: undefined, nextFrom: undefined })
})

test('a file that was given up for others of the same records is no hole, and one that is just gone is', async () => {
  const store = await storeOf([20, 30], [30, 40], [50, 60])
  const objects = [tileKey(place, 0), tileKey(place, 10, true), tileKey(place, 40)]
  await writePrune(store, { writer: 'test', partitions: [], objects }, 1_000)
  const end = { end: 60, lastFrom: 50, nextFrom: undefined }
  assert.deepEqual(await walk(store), end)
  for (const from of [0, 10, 30]) assert.deepEqual(await walk(store, from), end)
  const other = await storeOf([20, 30], [50, 60])
  await writePrune(other, { writer: 'test', partitions: [], objects: objects.slice(0, 2) }, 1_000)
  assert.deepEqual(await walk(other, 10), { end: 30, lastFrom: 20, nextFrom: 50 })
})

test('a hole behind what was pruned is one', async () => {
  const store = await storeOf([0, 10], [20, 40], [45, 50])
  const pruned = { place, from: 0, to: 20, files: 1, records: 1, bytes: 1 }
  await writePrune(store, { writer: 'test', partitions: [pruned], objects: [] }, 1_000)
  assert.deepEqual(await walk(store), { end: 40, lastFrom: 20, nextFrom: 45 })
  const other = await storeOf([30, 40])
  await writePrune(other, { writer: 'test', partitions: [pruned], objects: [] }, 1_000)
  assert.deepEqual(await walk(other, 5), { end: 20, lastFrom: undefined, nextFrom: 30 })
})

test('without a known end, a long chain is followed by its listing: only the last tiles are asked for, and that is told', async () => {
  const spans = Array.from({ length: 150 }, (_, n) => [10 * n, 10 * n + 10] as const)
  const real = await storeOf(...spans)
  for (const [start, asked] of [
    ['the first tile', 32],
    [100, 140],
    [1_490, 1],
    [1_500, 0],
  ] as const) {
    let gets = 0
    const counting: ErasableStore = { ...real, get: (...args) => (gets++, real.get(...args)) }
    const found = await walkChain(counting, place, identity, start, never)
    assert.equal(found?.end, 1_500)
    assert.equal(found.unchecked, start === 'the first tile' ? 118 : 0)
    assert.equal(gets, asked, `from ${start}`)
  }
  // A hole among the last ones is seen.
  await real.delete('orders/3/orders-3-0000000000000001450.avro')
  assert.deepEqual(await walk(real), { end: 1_450, lastFrom: 1_440, nextFrom: 1_460 })
})

test('from a known end, a hole is found however many tiles lie behind it, also when it was half filled', async () => {
  const far = Array.from({ length: 60 }, (_, n) => [200 + 10 * n, 210 + 10 * n] as const)
  const store = await storeOf([0, 100], ...far)
  assert.deepEqual(await walk(store, 100), { end: 100, lastFrom: undefined, nextFrom: 200 })
  await putTile(store, await tileFile(100, 130)) // its worker died before it committed that
  assert.deepEqual(await walk(store, 100), { end: 130, lastFrom: 100, nextFrom: 200 })
})

test('what lies behind a hole cannot fail the walk', async () => {
  const real = await storeOf([0, 10], [20, 30])
  const store: ErasableStore = {
    ...real,
    get: (key, options) => (key.endsWith('20.avro') ? Promise.reject(new Error('no')) : real.get(key, options)),
  }
  assert.deepEqual(await walk(store), { end: 10, lastFrom: 0, nextFrom: 20 })
})

test('a tile that vanishes while the chain is walked is a hole in front of the next one, or what a prune gave up', async () => {
  const storeWithout = async (gone: string) => {
    const real = await storeOf([0, 10], [10, 20], [20, 30])
    const get: ErasableStore['get'] = async (key, options) => {
      if (key === gone) await real.delete(key)
      return real.get(key, options)
    }
    return { ...real, get }
  }
  const end = { end: 30, lastFrom: 20, nextFrom: undefined }
  assert.deepEqual(await walk(await storeWithout(tileKey(place, 10))), { end: 10, lastFrom: 0, nextFrom: 20 })
  assert.deepEqual(await walk(await storeWithout(tileKey(place, 20)), 10), { ...end, end: 20, lastFrom: 10 })
  const store = await storeWithout(tileKey(place, 10))
  const pruned = { place, from: 0, to: 20, files: 2, records: 1, bytes: 1 }
  await writePrune(store, { writer: 'test', partitions: [pruned], objects: [] }, 1_000)
  assert.deepEqual(await walk(store), end)
})

test('a tile that begins inside another one does not break the chain', async () => {
  const store = await storeOf([0, 10], [4, 7], [10, 12])
  assert.deepEqual(await walk(store), { end: 12, lastFrom: 10, nextFrom: undefined })
})

test('what is no tile of this partition does not count: foreign names, other partitions and lineages', async () => {
  const store = await storeOf([0, 10])
  for (const key of [
    'orders/3/readme.txt',
    'orders/3/orders-3-10.avro',
    'orders/33/orders-33-0000000000000000010.avro',
  ])
    await store.put(key, bodyOf('x'), {})
  await store.put('orders/3@e7/orders-3-0000000000000000010.avro', bodyOf('x'), {})
  assert.deepEqual(await walk(store), { end: 10, lastFrom: 0, nextFrom: undefined })
})

test('a tile that vanishes while it is looked at ends the chain before it', async () => {
  const real = await storeOf([0, 10], [10, 20])
  const gone = (await tileFile(10, 20)).key
  const store: ErasableStore = {
    ...real,
    async get(key, options) {
      if (key === gone) await real.delete(key)
      return real.get(key, options)
    },
  }
  assert.deepEqual(await walk(store), { end: 10, lastFrom: 0, nextFrom: undefined })
})

for (const [what, file, reason] of [
  ['of another cluster', await tileFile(10, 20, { clusterId: 'other' }), /written for cluster other/],
  ['of another incarnation', await tileFile(10, 20, { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }), /written for topic id/],
  ['that lost its end', await tileFile(10, 20).then(one => ({ ...one, bytes: one.bytes.subarray(0, -9) })), /promises/],
  ['that is garbage', { ...(await tileFile(10, 20)), bytes: Buffer.from('x') }, /no Avro container/],
] as const) {
  test(`an object ${what} stops the walk: no chain may go on behind records that cannot be read`, async () => {
    const store = await storeOf([0, 10])
    await putTile(store, file)
    await assert.rejects(walk(store), error => {
      assert.match((error as Error).message, reason)
      return (error as { code?: string }).code === 'TILE_CONFLICT'
    })
    await assert.rejects(walk(store, 10), { code: 'TILE_CONFLICT' })
    // Behind it nobody looks.
    assert.deepEqual(await walk(store, 20), { end: 20, lastFrom: undefined, nextFrom: undefined })
  })
}

test('the origin of a chain is copied from tile to tile; a file without it begins one', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(10, 20, { origin: 3 }))
  assert.equal(await readOrigin(store, place, 10, false, never), 3)
  await assert.rejects(readOrigin(store, place, 11, false, never), { code: 'OBJECT_MISSING' })
})

test('whatever tiles there are, the walk ends at the first hole of their union', async () => {
  const spans = fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 6 })), { maxLength: 7 })
  await checkAsync(
    fc.asyncProperty(spans, async list => {
      const tiles = new Map(list.map(([from, length]) => [from, from + length]))
      const store = await storeOf(...tiles)
      const starts = [...tiles.keys()].toSorted((a, b) => a - b)
      const [first] = starts
      const found = await walk(store)
      if (first === undefined) return assert.equal(found, undefined)
      let end = first
      // A tile that begins inside of another one is passed over, so only tiles that begin at the end move it.
      for (let to = tiles.get(end); to !== undefined; to = tiles.get(end)) end = to
      assert.equal(found?.end, end)
      assert.equal(
        found?.nextFrom,
        starts.find(from => from > end),
      )
      return undefined
    }),
    60,
  )
})
