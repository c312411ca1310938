import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Aborted, abortable, unlessAborted } from '../../src/runtime/aborted.ts'

const settle = () => new Promise(resolve => setImmediate(resolve))

test('work that fails after an abort, however early that came, brings nothing down', async () => {
  // An unhandled rejection fails the test, as it would end the process.
  for (const isEarly of [true, false]) {
    const control = new AbortController()
    const abort = () => control.abort(new Aborted('nobody waits'))
    const [one, another] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
    if (isEarly) abort()
    const plain = unlessAborted(one.promise, control.signal)
    const thrown = assert.rejects(abortable(another.promise, control.signal), Aborted)
    if (!isEarly) abort()
    assert.equal(await plain, undefined)
    await thrown
    one.reject(new Error('the connection was closed'))
    another.reject(new Error('the connection was closed'))
    await settle()
  }
})

test('what work resolves with, and what it fails with, come out as long as nothing is aborted', async () => {
  const { signal } = new AbortController()
  assert.equal(await unlessAborted(Promise.resolve(7), signal), 7)
  assert.equal(await abortable(Promise.resolve(7), signal), 7)
  await assert.rejects(abortable(Promise.reject(new Error('it failed')), signal), { message: 'it failed' })
})
