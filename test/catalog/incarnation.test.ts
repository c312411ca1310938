import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimTopicFolder, readFirstIncarnation } from '../../src/catalog/incarnation.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { bodyOf } from '../helpers/object-bodies.ts'

const [first, second] = ['Hx3y8Ra6RBe9-hFQXtB2Kg', 'AAAAAAAAAAAAAAAAAAAAAA']

test('the first incarnation of a topic gets the plain folder, all later ones a folder with their id, for ever', async () => {
  const store = newMemoryStore()
  assert.equal(await readFirstIncarnation(store, 'orders'), undefined)
  assert.equal(await claimTopicFolder(store, 'orders', first), undefined)
  assert.equal(await claimTopicFolder(store, 'orders', second), second)
  assert.equal(await claimTopicFolder(store, 'orders', first), undefined)
  assert.equal(await readFirstIncarnation(store, 'orders'), first)
  assert.equal(await claimTopicFolder(store, 'payments', second), undefined)
})

test('brokers without topic ids always get the plain folder, and claim nothing', async () => {
  const store = newMemoryStore()
  assert.equal(await claimTopicFolder(store, 'orders', undefined), undefined)
  assert.equal(await claimTopicFolder(store, 'orders', first), undefined)
  assert.equal(await claimTopicFolder(store, 'orders', undefined), undefined)
})

test('of many workers that see two incarnations at once, all agree on who was first', async () => {
  const store = newMemoryStore()
  const ids = [first, second, first, second, first]
  const folders = await Promise.all(ids.map(id => claimTopicFolder(store, 'orders', id)))
  const winner = await readFirstIncarnation(store, 'orders')
  for (const [n, id] of ids.entries()) assert.equal(folders[n], id === winner ? undefined : id)
})

test('a claim whose answer was lost is still ours', async () => {
  const real = newMemoryStore()
  const store: ObjectStore = {
    ...real,
    async put(key, body, facts) {
      await real.put(key, body, facts)
      return { created: false }
    },
  }
  assert.equal(await claimTopicFolder(store, 'orders', first), undefined)
})

test('a claim that is taken and then not there is looked for again: no incarnation has two folders', async () => {
  const real = newMemoryStore()
  await claimTopicFolder(real, 'orders', first)
  for (const misses of [1, 3, 99]) {
    let reads = 0
    const get: ObjectStore['get'] = (key, options) => real.get(reads++ < misses ? 'nothing' : key, options)
    const claim = claimTopicFolder({ ...real, get }, 'orders', first)
    if (misses < 99) assert.equal(await claim, undefined)
    else await assert.rejects(claim, { code: 'OBJECT_MISSING', message: /orders\.json exists and does not/ })
  }
})

test('a claim that says nothing is refused by name', async () => {
  for (const content of ['', '{}', 'null', '{"topicId":7}', 'garbage']) {
    const store = newMemoryStore()
    await store.put('@topics/first/orders.json', bodyOf(content), {})
    await assert.rejects(claimTopicFolder(store, 'orders', first), { code: 'OBJECT_CORRUPT' }, content)
  }
})

test('topics with names of every kind are claimed', async () => {
  const store = newMemoryStore()
  for (const topic of ['constructor', '__proto__', 'a.b', 'x'.repeat(249), 'first', '0'])
    assert.equal(await claimTopicFolder(store, topic, first), undefined, topic)
})
