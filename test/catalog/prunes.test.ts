import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPrunes, readPrunesAndThose, writePrune } from '../../src/catalog/prunes.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { storedPrunes } from '../helpers/stored-prunes.ts'
import { bodyOf } from '../helpers/object-bodies.ts'

const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const record = (to: number, objects: string[] = []) => ({
  writer: 'maxbrod test',
  partitions: [{ place, from: 0, to, files: 1, records: undefined, bytes: 1 }],
  objects,
})

test('a chain begins where the largest of its prunes says, whatever their order', async () => {
  const store = newMemoryStore()
  assert.equal((await readPrunes(store)).beginOf(place), 0)
  await writePrune(store, record(50, ['@points/a']), 3_000)
  await writePrune(store, record(40, ['@points/b']), 4_000)
  const prunes = await readPrunes(store)
  assert.deepEqual([prunes.beginOf(place), prunes.beginOf({ ...place, lineage: 3 })], [50, 0])
  assert.deepEqual(
    [49, 50].map(from => prunes.isPruned({ ...place, from })),
    [true, false],
  )
  assert.deepEqual(
    ['@points/a', '@points/b', '@points/c'].map(key => prunes.hasRemoved(key)),
    [true, true, false],
  )
  const { until } = await readPrunesAndThose(3_000, store)
  assert.deepEqual(
    [until.beginOf(place), until.hasRemoved('@points/a'), until.hasRemoved('@points/b')],
    [50, true, false],
  )
  assert.equal((await readPrunesAndThose(2_999, store)).until.beginOf(place), 0)
  const more = until.and(record(60, ['@points/c']))
  assert.deepEqual([more.beginOf(place), more.hasRemoved('@points/a'), more.hasRemoved('@points/c')], [60, true, true])
  assert.deepEqual([until.beginOf(place), until.hasRemoved('@points/c')], [50, false])
})

test('of two prunes in the same millisecond both are remembered, and one whose answer was lost is remembered once', async () => {
  const store = newMemoryStore()
  const keys = await Promise.all([record(1), record(2), record(1)].map(one => writePrune(store, one, 3_000)))
  assert.equal(new Set(keys.map(({ key }) => key)).size, 2)
  assert.equal((await storedPrunes(store)).length, 2)
})

test('a record that cannot be read is named, and hides no other one', async () => {
  const store = newMemoryStore()
  await writePrune(store, record(50), 3_000)
  await store.put('@prunes/1970-01-01T00-00-04.000Z.json', bodyOf('{}'), {})
  await store.put('@prunes/notes.txt', bodyOf('foreign'), {})
  const prunes = await readPrunes(store)
  assert.equal(prunes.beginOf(place), 50)
  assert.deepEqual(
    prunes.damaged.map(({ facts }) => facts['key']),
    ['@prunes/1970-01-01T00-00-04.000Z.json'],
  )
})

test('a record that says another offset than the one that was put gives nothing up: every digit of it is proved', async () => {
  const store = newMemoryStore()
  const { key } = await writePrune(store, record(30), 3_000)
  const { body, facts } = await store.get(key)
  const text = Buffer.concat(await Array.fromAsync(body)).toString()
  await store.delete(key)
  await store.put(key, bodyOf(text.replace('"to": 30', '"to": 90')), facts)
  const prunes = await readPrunes(store)
  assert.deepEqual([prunes.beginOf(place), prunes.damaged.map(({ facts: { key: named } }) => named)], [0, [key]])
})

test('a record that comes damaged once, and then as it was put, counts', async () => {
  const store = newMemoryStore()
  const { key } = await writePrune(store, record(30), 3_000)
  let reads = 0
  const fickle: typeof store = {
    ...store,
    async get(name, options) {
      const read = await store.get(name, options)
      if (name !== key || reads++ > 0) return read
      const flip = async function* () {
        for await (const chunk of read.body) yield Buffer.from(chunk.toString().replace('"to": 30', '"to": 90'))
      }
      return { ...read, body: flip(), [Symbol.asyncDispose]: () => read[Symbol.asyncDispose]() }
    },
  }
  const prunes = await readPrunes(fickle)
  assert.deepEqual([prunes.beginOf(place), prunes.damaged, reads], [30, [], 2])
})

test('however large records are that somebody put there, only so much of them is in memory at a time', async () => {
  const inner = newMemoryStore()
  const sizes = [200, 100, 100, 50, 300].map(megabytes => megabytes * 1024 * 1024)
  for (const n of sizes.keys()) await writePrune(inner, record(n + 1), 3_000 + n)
  let [held, most, taken] = [0, 0, 0]
  const store: ErasableStore = {
    ...inner,
    async *list(...call) {
      let n = 0
      for await (const object of inner.list(...call)) yield { ...object, bytes: sizes[n++] ?? 0 }
    },
    async get(key, options) {
      const read = await inner.get(key, options)
      const bytes = sizes[Number(/\.(\d+)Z/.exec(key)?.[1])] ?? 0
      held += bytes
      most = Math.max(most, held)
      await new Promise(setImmediate)
      async function* body() {
        taken++
        yield* read.body
      }
      const dispose = async () => {
        held -= bytes
        await read[Symbol.asyncDispose]()
      }
      return { ...read, bytes, body: body(), [Symbol.asyncDispose]: dispose }
    },
  }
  const prunes = await readPrunes(store)
  assert.deepEqual([prunes.beginOf(place), prunes.damaged.map(({ code }) => code)], [4, ['OBJECT_LIMIT']])
  assert.deepEqual([held, taken], [0, 4], 'the one that is too large is not read at all')
  assert.equal(most, 300 * 1024 * 1024)
})
