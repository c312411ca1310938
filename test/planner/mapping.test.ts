import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlanMapping } from '../../src/format/plan.ts'
import { checkRenames, impossibleTargets, targetName } from '../../src/planner/mapping.ts'

const mapping = (rename: readonly (readonly [string, string])[] = [], targetPrefix = ''): PlanMapping => ({
  rename,
  targetPrefix,
  partitionMap: 'same',
})

test('a topic keeps its name, gets a prefix, or the name that was given, without prefix', () => {
  assert.equal(targetName('orders', mapping()), 'orders')
  assert.equal(targetName('orders', mapping([], 'restored.')), 'restored.orders')
  assert.equal(targetName('orders', mapping([['orders', 'b']], 'restored.')), 'b')
  assert.equal(targetName('__proto__', mapping([['orders', 'b']])), '__proto__')
})

const refused = [
  ['two sources in one target', ['a', 'b'], mapping([['a', 'b']]), /a and b would both be restored into b/],
  [
    'two renamed to the same',
    ['a', 'b'],
    mapping([
      ['a', 'x'],
      ['b', 'x'],
    ]),
    /both be restored into x/,
  ],
  ['a prefixed name that another has', ['a', 'x.a'], mapping([['x.a', 'x.a']], 'x.'), /both be restored into x\.a/],
  ['a name that is too long', ['a'.repeat(249)], mapping([], 'x'), /no topic name/],
  ['a name of other characters', ['a'], mapping([['a', 'a/b']]), /no topic name/],
  ['the names . and ..', ['a'], mapping([['a', '..']]), /no topic name/],
  ['the plan topic', ['a'], mapping([['a', 'plan']]), /into the plan topic plan/],
  ['the plan topic by its own name', ['plan'], mapping(), /into the plan topic plan/],
  ['internal topics', ['a'], mapping([['a', '__consumer_offsets']]), /Kafka’s own topics/],
] as const

for (const [title, topics, wanted, message] of refused) {
  test(`refused before anything is written: ${title}`, () => {
    const [refusal, ...others] = impossibleTargets(topics, wanted, 'plan').values()
    assert.equal(refusal?.code, 'USAGE')
    assert.match(refusal.message, message)
    assert.deepEqual(others, [])
  })
}

test('all impossible names are told, each with the source that has it', () => {
  const found = impossibleTargets(
    ['a', 'b', 'c', 'plan'],
    mapping([
      ['b', 'a'],
      ['c', '__x'],
    ]),
    'plan',
  )
  assert.deepEqual([...found.keys()], ['b', 'c', 'plan'])
})

test('a rename of what is not selected is refused', () => {
  const wanted = mapping([['b', 'c']])
  assert.throws(() => checkRenames(['a'], wanted), { code: 'USAGE', message: /speaks of b, which is not among/ })
  checkRenames(['b'], wanted)
})

test('topics may swap their names', () => {
  const wanted = mapping([
    ['a', 'b'],
    ['b', 'a'],
  ])
  assert.deepEqual([...impossibleTargets(['a', 'b'], wanted, 'plan')], [])
})
