import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteDoomed } from '../../src/archive/prune/delete.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { KEYS_PER_DELETE } from '../../src/storage/port.ts'
import type { ErasableStore } from '../../src/storage/port.ts'

const signal = new AbortController().signal
const task = { add: () => undefined }
const chain = (name: string, count: number) => ({
  keys: Array.from({ length: count }, (_, n) => `${name}/${String(n).padStart(5, '0')}`),
})

/** What a store was asked to delete, request by request; it does not let go what `locked` names. */
function recording(locked: readonly string[] = []) {
  const asked: (readonly string[])[] = []
  const store: ErasableStore = {
    ...newMemoryStore(),
    deleteAll: async keys => {
      asked.push(keys)
      return keys.filter(key => locked.includes(key)).map(key => ({ key, reason: 'locked' }))
    },
  }
  return { store, asked }
}

test('requests are full and in order, over all chains', async () => {
  const { store, asked } = recording()
  const chains = [chain('a', 700), chain('b', 0), chain('c', 1_800)]
  const { deleted } = await deleteDoomed(store, chains, task, signal)
  assert.deepEqual(
    asked.map(({ length }) => length),
    [KEYS_PER_DELETE, KEYS_PER_DELETE, 500],
  )
  assert.deepEqual([asked.flat(), deleted], [chains.flatMap(({ keys }) => keys), 2_500])
  const nothing = recording()
  assert.deepEqual(await deleteDoomed(nothing.store, [chain('a', 0)], task, signal), {
    deleted: 0,
    refused: [],
    left: 0,
  })
  assert.deepEqual(nothing.asked, [])
})

test('what makes others count goes in a request before them', async () => {
  const { store, asked } = recording(['b/seal'])
  const queues = ['a', 'b'].map(name => ({ first: `${name}/seal`, keys: [`${name}/1`, `${name}/2`] }))
  const { deleted, left } = await deleteDoomed(store, [...queues, chain('c', 1)], task, signal)
  assert.deepEqual(asked, [
    ['a/seal', 'b/seal'],
    ['a/1', 'a/2', 'c/00000'],
  ])
  assert.deepEqual([deleted, left], [4, 2])
})

test('behind an object that stays, its chain is asked for no more, and the others are', async () => {
  const { store, asked } = recording(['a/00003'])
  const found = await deleteDoomed(store, [chain('a', 2_500), chain('b', 1_000)], task, signal)
  assert.deepEqual(found, { deleted: 1_999, refused: [{ key: 'a/00003', reason: 'locked' }], left: 1_500 })
  assert.equal(asked.flat().filter(key => key.startsWith('a/')).length, KEYS_PER_DELETE)
  assert.equal(asked.flat().filter(key => key.startsWith('b/')).length, 1_000)
})

test('an abort ends it between two requests', async () => {
  const control = new AbortController()
  const { store, asked } = recording()
  const aborting: ErasableStore = {
    ...store,
    deleteAll: (keys, until) => {
      control.abort(new Error('enough'))
      return store.deleteAll(keys, until)
    },
  }
  await assert.rejects(deleteDoomed(aborting, [chain('a', 1_500)], task, control.signal), { message: 'enough' })
  assert.equal(asked.length, 1)
})
