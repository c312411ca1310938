import assert from 'node:assert/strict'
import { test } from 'node:test'
import { raceToCreate } from '../../src/check/create-only.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'

const lineOf = async (store: ObjectStore) => {
  const { verdict, says } = await raceToCreate(store, systemRandom)
  return `${verdict} ${says}`
}

test('one of eight writers creates the object; the next look finds that none may replace it', async () => {
  const store = newMemoryStore()
  assert.equal(await lineOf(store), 'OK one of 8 writers created the object, the others were refused')
  assert.equal(await lineOf(store), 'OK 8 writers were refused an object that exists')
})

test('a store that ignores If-None-Match is found, with and without an object of an earlier look', async () => {
  const memory = newMemoryStore()
  const store: ObjectStore = {
    ...memory,
    async put(key, body, facts) {
      await memory.delete(key)
      await memory.put(key, body, facts)
      return { created: true, etag: 'any' }
    },
  }
  assert.match(await lineOf(store), /^FAIL 8 of 8 writers of one object were told that they created it/)
  assert.match(await lineOf(store), /^FAIL the store let 8 of 8 writers replace an object/)
})
