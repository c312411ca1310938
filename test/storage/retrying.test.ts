import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { retrying } from '../../src/storage/retrying.ts'
import { testObjectStore } from '../contracts/object-store.ts'
import { all, bodyOf } from '../helpers/object-bodies.ts'

const temporary = new MaxbrodError('STORAGE_UNREACHABLE', 'not now')

/** A clock whose sleeps take no time and are remembered. */
function fastClock() {
  const sleeps: number[] = []
  let nowMs = 0
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    async sleep(ms: number) {
      sleeps.push(ms)
      nowMs += ms
    },
    every: () => assert.fail(),
  }
  return { clock, sleeps }
}

const backoff = { random: () => 1, initialMs: 100, maxMs: 1_000, deadlineMs: 10_000, onRetry: () => {} }

test('waits grow to their bound, and end at the deadline with the last error', async () => {
  const { clock, sleeps } = fastClock()
  let attempts = 0
  const failing: ErasableStore = {
    ...newMemoryStore(),
    async put() {
      attempts += 1
      throw new MaxbrodError('STORAGE_UNREACHABLE', `attempt ${attempts}`)
    },
  }
  const store = retrying(failing, { ...backoff, clock })
  await assert.rejects(store.put('a/b', bodyOf('x'), {}), { message: 'attempt 13' })
  assert.deepEqual(sleeps, [100, 200, 400, 800, ...Array.from({ length: 8 }, () => 1_000)])
})

test('a listing that breaks off after each object comes to its end, and each object once', async () => {
  const { clock } = fastClock()
  const memory = newMemoryStore()
  const keys = Array.from({ length: 50 }, (_, n) => `t${n % 7}/${String(n).padStart(2, '0')}`).sort()
  for (const key of keys) await memory.put(key, bodyOf(key), {})
  const breaking: ErasableStore = {
    ...memory,
    async *list(prefix, options) {
      for await (const object of memory.list(prefix, options)) {
        yield object
        throw temporary
      }
    },
    async *folders(prefix, options) {
      for await (const name of memory.folders(prefix, options)) {
        yield name
        throw temporary
      }
    },
  }
  const store = retrying(breaking, { ...backoff, clock })
  assert.deepEqual(
    (await all(store.list(''))).map(({ key }) => key),
    keys,
  )
  assert.deepEqual(await all(store.folders('')), ['t0', 't1', 't2', 't3', 't4', 't5', 't6'])
})

testObjectStore('memory with retries', async () => ({
  store: retrying(newMemoryStore(), { ...backoff, clock: fastClock().clock }),
  async [Symbol.asyncDispose]() {},
}))
