import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agreement } from '../../src/kafka/group/agreement.ts'

test('a static member that joins anew and is not told to lead asks for one rebalance, and for no second one', () => {
  const agreement = new Agreement()
  const before = agreement.nonce
  assert.equal(agreement.mayLeadUntold({ isStatic: true, isLeader: false }), true)
  assert.notEqual(agreement.nonce, before)
  assert.equal(agreement.mayLeadUntold({ isStatic: true, isLeader: false }), false)
  agreement.joinsAnew()
  assert.equal(agreement.mayLeadUntold({ isStatic: true, isLeader: false }), true)
})

test('a member that is told to lead, or has no static name, is sure', () => {
  for (const member of [
    { isStatic: true, isLeader: true },
    { isStatic: false, isLeader: false },
    { isStatic: false, isLeader: true },
  ]) {
    const agreement = new Agreement()
    const before = agreement.nonce
    assert.equal(agreement.mayLeadUntold(member), false)
    assert.equal(agreement.nonce, before)
  }
})

test('another leader is given one rebalance to see the same topics, and then left alone: nobody rebalances for ever', () => {
  const agreement = new Agreement()
  const before = agreement.nonce
  assert.equal(agreement.compare(false), 'rebalance')
  const asked = agreement.nonce
  assert.notEqual(asked, before)
  assert.equal(agreement.compare(false), 'other topics')
  assert.equal(agreement.compare(false), 'other topics')
  assert.equal(agreement.nonce, asked)
  assert.equal(agreement.compare(true), 'agreed')
  assert.equal(agreement.compare(false), 'rebalance')
})
