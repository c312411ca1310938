import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanRows, rowOf, tallyBySeed } from './matrix-rows.ts'

const hit = (fault: string, failure?: string) => ({ fault, failure })
const volleys = [
  {
    seed: '1',
    hits: [hit('store.put:before:1:kill'), hit('store.put:before:24:kill'), hit('store.put:after:1:kill', 'x')],
  },
  { seed: '1', hits: [hit('store.put:before:25:kill')] },
  { seed: '10', hits: [hit('store.put:before:2:stop')] },
  { seed: '2', hits: [hit('store.put:before:2:stop')], failure: 'what came back is not what was acknowledged' },
  { seed: '2' },
]

test('the last call of a worker is one row of the matrix, whatever its number is', () => {
  assert.equal(rowOf('store.put:after:25:kill'), rowOf('store.put:after:3:kill'))
  const rows = ['store.put:after:1:kill', 'store.put:after:2:kill', 'store.put:after:3:kill', 'store.put:after:3:stop']
  assert.equal(new Set(rows.map(rowOf)).size, rows.length)
})

test('a row is clean with the seed it was hit with, and not when its hit or its whole volley went wrong', () => {
  assert.deepEqual([...cleanRows(volleys, '1')], ['store.put:before:first:kill', 'store.put:before:last:kill'])
  assert.deepEqual([...cleanRows(volleys, '2')], [])
  assert.deepEqual([...cleanRows(volleys, '10')], ['store.put:before:second:stop'])
})

test('each seed has a line that says how many of the rows that are known now were clean', () => {
  const faults = [
    'store.put:before:1:kill',
    'store.put:before:2:stop',
    'store.put:before:23:kill',
    'store.put:after:1:kill',
  ]
  assert.deepEqual(tallyBySeed(volleys, faults), [
    { seed: '1', rows: 4, clean: 2, hits: 4, failed: 1 },
    { seed: '2', rows: 4, clean: 0, hits: 1, failed: 0 },
    { seed: '10', rows: 4, clean: 1, hits: 1, failed: 0 },
  ])
})
