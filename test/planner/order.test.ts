import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { largeLast, orderTopics } from '../../src/planner/order.ts'
import { check } from '../helpers/properties.ts'

const regexes = (...texts: string[]) => texts.map(text => new RegExp(`^(?:${text})$`, 'u'))

const cases = [
  ['all, in alphabetical order', ['b', 'a', 'c'], ['.*'], [], ['a', 'b', 'c']],
  ['none that no regex matches', ['a', 'b'], ['x'], [], []],
  ['the first regex that matches decides', ['z', 'a', 'm'], ['m', 'z', '.*'], [], ['m', 'z', 'a']],
  [
    'together matched ones in alphabetical order',
    ['b2', 'a1', 'b1', 'a2'],
    ['b.*', 'a.*'],
    [],
    ['b1', 'b2', 'a1', 'a2'],
  ],
  ['an exclusion wins over any selection', ['a', 'b'], ['a', 'b'], ['a'], ['b']],
  ['whole names only', ['orders', 'reorders'], ['orders'], [], ['orders']],
] as const

for (const [title, names, topics, excluded, expected] of cases) {
  test(`topics are restored in order: ${title}`, () =>
    assert.deepEqual(orderTopics(names, regexes(...topics), regexes(...excluded)), expected))
}

test('the order of the listing does not matter, and nothing is selected twice', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-d]{1,3}$/), { maxLength: 12 })
  check(
    fc.property(names, fc.array(fc.stringMatching(/^[a-d]$/), { maxLength: 4 }), (all, beginnings) => {
      const topics = regexes(...beginnings.map(beginning => `${beginning}.*`))
      const ordered = orderTopics(all, topics, [])
      assert.deepEqual(orderTopics(all.toReversed(), topics, []), ordered)
      assert.deepEqual(new Set(ordered), new Set(all.filter(name => beginnings.some(one => name.startsWith(one)))))
      assert.equal(new Set(ordered).size, ordered.length)
    }),
    300,
  )
})

test('topics larger than a threshold come last, in the same order as before; incarnations count together', () => {
  const topics = [
    ['a', 50],
    ['b', 10],
    ['c', 6],
    ['c', 6],
    ['d', 11],
    ['e', 1],
  ] as const
  const ordered = (largerThan: number | undefined) =>
    largeLast(
      topics,
      largerThan,
      ([name]) => name,
      ([, bytes]) => bytes,
    )
      .map(([name]) => name)
      .join('')
  assert.equal(ordered(undefined), 'abccde')
  assert.equal(ordered(10), 'beaccd')
  assert.equal(ordered(49), 'bccdea')
  assert.equal(ordered(0), 'abccde')
})
