import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigFact } from '../../src/format/hold.ts'
import {
  brokenHold,
  brokerDefaultsOf,
  isHeld,
  holdChanges,
  isOfHold,
  sealConfigs,
  unsealConfigs,
  valuesBeforeHold,
} from '../../src/format/hold.ts'

const maxLong = '9223372036854775807'

/** What a topic of Kafka 4 shows that has set nothing itself. */
const defaults: readonly ConfigFact[] = [
  ['retention.ms', '604800000'],
  ['retention.bytes', '-1'],
  ['cleanup.policy', 'delete'],
  ['message.timestamp.type', 'CreateTime'],
  ['message.timestamp.before.max.ms', maxLong],
  ['message.timestamp.after.max.ms', '3600000'],
  ['segment.bytes', '1073741824'],
].map(([name, value]) => ({ name: name!, value: value!, isOwn: false }))

function withOwn(of: readonly ConfigFact[], own: Iterable<readonly [string, string | null]>): ConfigFact[] {
  const changes = new Map(own)
  return of.map(config => {
    const value = changes.get(config.name)
    return value === undefined || value === null ? config : { ...config, value, isOwn: true }
  })
}

const held = withOwn(defaults, holdChanges(defaults))
const sealed = withOwn(held, sealConfigs(held))

test('a topic is held when it says itself what keeps old records', () => {
  assert.deepEqual(brokenHold(defaults), ['retention.ms=604800000', 'message.timestamp.after.max.ms=3600000'])
  assert.deepEqual(brokenHold(held), [])
  assert.equal(holdChanges(defaults).size, 6)
  assert.equal(holdChanges(held).size, 0)
})

test('only configs that the cluster knows are set', () => {
  assert.equal(holdChanges(defaults).has('message.timestamp.difference.max.ms'), false)
  const old = [{ name: 'message.timestamp.difference.max.ms', value: '1000', isOwn: true }]
  assert.deepEqual([...holdChanges(old)], [['message.timestamp.difference.max.ms', maxLong]])
})

test('the values before are what was set for the topic, and null for what was not', () => {
  const own = withOwn(defaults, [
    ['retention.ms', '1000'],
    ['cleanup.policy', 'compact'],
  ])
  assert.deepEqual(valuesBeforeHold(own), {
    'retention.ms': '1000',
    'retention.bytes': null,
    'cleanup.policy': 'compact',
    'message.timestamp.type': null,
    'message.timestamp.before.max.ms': null,
    'message.timestamp.after.max.ms': null,
  })
})

test('a held topic can be sealed once; a sealed one is held, and is opened by the held value', () => {
  assert.deepEqual([...sealConfigs(held)], [['message.timestamp.before.max.ms', '3600000']])
  assert.equal(sealConfigs(sealed).size, 0)
  assert.deepEqual([brokenHold(sealed), holdChanges(sealed).size], [[], 0])
  assert.deepEqual([...unsealConfigs(sealed)], [['message.timestamp.before.max.ms', maxLong]])
  assert.equal(unsealConfigs(held).size, 0)
})

test('a topic that is not held any more is not sealed: it was finalized', () => {
  assert.equal(sealConfigs(defaults).size, 0)
})

test('where brokers know only the older bound, that one seals', () => {
  const old = [{ name: 'message.timestamp.difference.max.ms', value: maxLong, isOwn: true }]
  assert.deepEqual([...sealConfigs(old)], [['message.timestamp.difference.max.ms', '3600000']])
})

test('a value of the hold is told from what somebody wants', () => {
  assert.equal(isOfHold('retention.ms', '-1'), true)
  assert.equal(isOfHold('message.timestamp.before.max.ms', '3600000'), true)
  assert.equal(isOfHold('message.timestamp.after.max.ms', '3600000'), false)
  assert.equal(isOfHold('retention.ms', '1000'), false)
  assert.equal(isOfHold('retention.ms', null), false)
})

test('a topic counts as held when it says so in every config: sealed, too, and by no chance', () => {
  assert.equal(isHeld(held), true)
  assert.equal(isHeld(sealed), true)
  assert.equal(isHeld(defaults), false)
  assert.equal(isHeld([]), false)
  for (const { name } of held.filter(({ isOwn }) => isOwn)) {
    const own = held.map(config => (config.name === name ? { ...config, isOwn: false } : config))
    assert.equal(isHeld(own), false, `${name} is not its own`)
    const other = held.map(config => (config.name === name ? { ...config, value: '1' } : config))
    assert.equal(isHeld(other), false, `${name} is another`)
  }
})

test('what the brokers had stands in the first head that raised it, which need not be the first of all', () => {
  const free = { brokerDefaults: {} }
  const raised = { brokerDefaults: { 'producer.id.expiration.ms': null } }
  const again = { brokerDefaults: { 'producer.id.expiration.ms': '7' } }
  assert.deepEqual(brokerDefaultsOf([free]), {})
  assert.deepEqual(brokerDefaultsOf([free, raised, again]), raised.brokerDefaults)
})
