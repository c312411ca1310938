import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { proveTiling } from '../../src/catalog/tiling.ts'
import { check } from '../helpers/properties.ts'

const tile = (from: number, to: number) => ({ key: `${from}-${to}`, from, to })

const cases = [
  ['no tile', [], [], []],
  ['one tile', [tile(5, 9)], [], []],
  ['neighbours', [tile(0, 5), tile(5, 9), tile(9, 10)], [], []],
  ['a hole', [tile(0, 5), tile(6, 9)], [{ from: 5, to: 6 }], []],
  ['two tiles over the same offsets', [tile(0, 5), tile(3, 9)], [], [{ first: '0-5', second: '3-9', from: 3, to: 5 }]],
  ['a tile twice', [tile(0, 5), tile(0, 5)], [], [{ first: '0-5', second: '0-5', from: 0, to: 5 }]],
  [
    'a tile inside another, and no false hole behind it',
    [tile(0, 10), tile(2, 3), tile(10, 12)],
    [],
    [{ first: '0-10', second: '2-3', from: 2, to: 3 }],
  ],
] as const

for (const [title, tiles, holes, overlaps] of cases)
  test(`the proof of ${title} says so`, () => assert.deepEqual(proveTiling(tiles), { holes, overlaps }))

test('holes are the offsets that no tile covers, overlaps those that more than one does', () => {
  const spans = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 12 })), { maxLength: 8 })
  check(
    fc.property(spans, list => {
      const tiles = list.map(([from, length]) => tile(from, from + length)).sort((a, b) => a.from - b.from)
      const { holes, overlaps } = proveTiling(tiles)
      const last = Math.max(...tiles.map(({ to }) => to))
      const within = (offset: number) => (span: { from: number; to: number }) => span.from <= offset && offset < span.to
      for (let offset = tiles[0]?.from ?? 0; offset < last; offset++) {
        const covering = tiles.filter(within(offset)).length
        assert.equal(holes.some(within(offset)), covering === 0, `offset ${offset}`)
        assert.equal(overlaps.some(within(offset)), covering > 1, `offset ${offset}`)
      }
    }),
    2_000,
  )
})
