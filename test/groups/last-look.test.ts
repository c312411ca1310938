import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookOf } from '../../src/groups/last-look.ts'

const options = { execute: true, timeout: 10_000, giveUpAfter: 5_000 }
const start = { isStopping: false, elapsedMs: 0, stillMs: 0 }

test('it looks again until its time is over, or nothing has come for long', () => {
  assert.deepEqual(lookOf(options, start), { isLast: false, isFinal: false, isAllHere: false })
  assert.deepEqual(lookOf(options, { ...start, elapsedMs: 10_000 }), { isLast: true, isFinal: true, isAllHere: true })
  const unhurried = { ...options, timeout: undefined }
  const later = { ...start, elapsedMs: 1e9 }
  assert.deepEqual(lookOf(unhurried, later), { isLast: false, isFinal: false, isAllHere: true })
  assert.equal(lookOf(unhurried, { ...later, stillMs: 5_000 }).isLast, true)
})

test('neither a stop nor a long silence counts as the end of the time that topics without a plan were given', () => {
  assert.deepEqual(lookOf(options, { ...start, stillMs: 5_000 }), { isLast: true, isFinal: true, isAllHere: false })
  assert.equal(lookOf(options, { ...start, isStopping: true }).isAllHere, false)
})

test('a stop is the last look, and no reason to commit groups that still wait', () => {
  for (const stillMs of [0, 5_000])
    assert.deepEqual(lookOf(options, { ...start, stillMs, isStopping: true }), {
      isLast: true,
      isFinal: false,
      isAllHere: false,
    })
})

test('a dry run looks once, and tells of what is there as if it were all', () => {
  for (const isStopping of [false, true])
    assert.deepEqual(lookOf({ ...options, execute: false }, { ...start, isStopping }), {
      isLast: true,
      isFinal: true,
      isAllHere: true,
    })
})
