import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from '../../src/executor/patience.ts'

test('patience ends a while after the first failure at a place, and not before there were enough of them', () => {
  const patience = new Patience(1_000, 3)
  assert.equal(patience.isOver(7, 50_000), false)
  assert.equal(patience.isOver(7, 60_000), false) // long ago, but only the second
  assert.equal(patience.isOver(7, 60_001), true)
  assert.equal(patience.attempts, 3)
})

test('whatever gets on is waited for anew: forwards, and backwards as well', () => {
  const patience = new Patience(1_000, 1)
  assert.equal(patience.isOver(7, 0), false)
  assert.equal(patience.isOver(8, 5_000), false)
  assert.equal(patience.isOver(7, 10_000), false)
  assert.equal(patience.attempts, 1)
  assert.equal(patience.isOver(7, 11_000), false)
  assert.equal(patience.isOver(7, 11_001), true)
})
