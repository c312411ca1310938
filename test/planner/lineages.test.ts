import assert from 'node:assert/strict'
import { test } from 'node:test'
import { historyAt, joinLineages, warningsOf, warningsOfLater } from '../../src/planner/lineages.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'
import { surveyed } from '../helpers/planned.ts'

const chain = (lineage: number | undefined, tiles: readonly SurveyedTile[], partition = 0) => ({
  place: { topic: 'orders', topicId: undefined, partition, lineage },
  tiles,
})
const of = (lineage: number, origin: number, from: number, to: number) => surveyed(from, to, { lineage, origin })

function ranges(partitions: Parameters<typeof joinLineages>[0]) {
  return joinLineages(partitions).map(({ tiles }) =>
    tiles.map(({ from, to, wholeTo, lineage }) => [from, to, wholeTo, lineage].filter(value => value !== undefined)),
  )
}

const old = [surveyed(0, 5), surveyed(5, 9), surveyed(9, 12)]

test('a partition with one lineage is what it was', () => {
  assert.deepEqual(ranges([chain(undefined, old)]), [
    [
      [0, 5],
      [5, 9],
      [9, 12],
    ],
  ])
  assert.deepEqual(warningsOf(joinLineages([chain(undefined, old)])[0]!), [])
})

const joins = [
  ['within a file, which is cut', [of(3, 7, 7, 20)], '0-5 5-7/9 7-20@3'],
  ['at the border of two files', [of(3, 5, 5, 20)], '0-5 5-20@3'],
  ['at the end of all files', [of(3, 12, 12, 20)], '0-5 5-9 9-12 12-20@3'],
  ['at the very beginning', [of(3, 0, 0, 20)], '0-20@3'],
  ['behind the end, which leaves a hole to be told', [of(3, 14, 14, 20)], '0-5 5-9 9-12 14-20@3'],
  ['where its own first file is gone', [of(3, 7, 10, 20)], '0-5 5-7/9 10-20@3'],
] as const
for (const [where, later, wanted] of joins) {
  test(`a chain counts up to where the next lineage begins: ${where}`, () => {
    const [history] = joinLineages([chain(undefined, old), chain(3, later)])
    const shown = history!.tiles.map(
      ({ from, to, wholeTo, lineage }) =>
        `${from}-${to}${wholeTo === undefined ? '' : `/${wholeTo}`}${lineage === undefined ? '' : `@${lineage}`}`,
    )
    assert.equal(shown.join(' '), wanted)
  })
}

test('a third lineage may begin before the second one did', () => {
  const [history] = joinLineages([chain(undefined, old), chain(3, [of(3, 7, 7, 20)]), chain(8, [of(8, 6, 6, 30)])])
  assert.deepEqual(
    history!.tiles.map(({ from, to, wholeTo, lineage }) => [from, to, wholeTo, lineage]),
    [
      [0, 5, undefined, undefined],
      [5, 6, 9, undefined],
      [6, 30, undefined, 8],
    ],
  )
  assert.deepEqual(
    history!.cuts.map(({ at, lineage }) => [at, lineage]),
    [
      [7, 3],
      [6, 8],
    ],
  )
})

test('partitions do not touch each other', () => {
  const partitions = [chain(undefined, old), chain(3, [of(3, 7, 7, 20)]), chain(undefined, old, 1)]
  assert.deepEqual(
    joinLineages(partitions).map(({ place, tiles }) => [place.partition, tiles.length]),
    [
      [0, 3],
      [1, 3],
    ],
  )
})

test('gaps behind the cut are not part of the history any more', () => {
  const gapped = surveyed(5, 9, {
    gaps: [
      { from: 5, to: 8, reason: 'retention' },
      { from: 8, to: 9, reason: 'retention' },
    ],
  })
  const [history] = joinLineages([chain(undefined, [gapped]), chain(3, [of(3, 7, 7, 20)])])
  assert.deepEqual(history!.tiles[0]!.gaps, [{ from: 5, to: 7, reason: 'retention' }])
})

test('a lineage of which all files are encrypted cuts the history as any other', () => {
  const sealed = [
    { key: 'a', from: 7, to: 11 },
    { key: 'b', from: 11, to: 12 },
  ]
  const [history] = joinLineages([chain(undefined, old), { ...chain(3, []), sealed }])
  assert.deepEqual(
    history!.tiles.map(({ from, to }) => [from, to]),
    [
      [0, 5],
      [5, 7],
    ],
  )
  assert.deepEqual(history!.sealed, sealed)
  assert.deepEqual(
    history!.cuts.map(({ at, lineage }) => [at, lineage]),
    [[7, 3]],
  )
})

test('at a moment before a lineage began, the history is the one of before, as far as it was cut', () => {
  const later = [surveyed(7, 9, { lineage: 3, origin: 7, records: 0 }), of(3, 7, 9, 20)]
  const since = (ms: bigint, tiles: readonly SurveyedTile[] = later) =>
    joinLineages([
      chain(undefined, old),
      chain(
        3,
        tiles.map(tile => (tile.records > 0 ? { ...tile, timestampMin: ms } : tile)),
      ),
    ])[0]!
  const lineages = (history: ReturnType<typeof since>, end: number, atMs: number) =>
    [...new Set(historyAt(history, end, atMs).tiles.map(({ lineage }) => lineage))].join()
  assert.equal(lineages(since(2_000n), 12, 1_000), '', 'the log of then went beyond the cut')
  assert.deepEqual(historyAt(since(2_000n), 12, 1_000).tiles, old)
  assert.deepEqual(warningsOfLater(since(2_000n), historyAt(since(2_000n), 12, 1_000)), [
    'orders-0: an unclean leader election cut the log at offset 7 after the restoration point; it is restored as it was then, without leader epoch 3',
  ])
  assert.deepEqual(warningsOfLater(since(2_000n), since(2_000n)), [])
  assert.equal(lineages(since(2_000n), 7, 1_000), ',3', 'the log of then ended before the cut: the same records')
  assert.equal(lineages(since(900n), 12, 1_000), ',3', 'the lineage had records then')
  assert.equal(lineages(since(2_000n, [of(3, 7, 9, 20)]), 12, 1_000), ',3', 'the lineage lacks its first file')
  const third = of(8, 6, 6, 30)
  const twice = joinLineages([chain(undefined, old), chain(3, [of(3, 7, 7, 20)]), chain(8, [third])])[0]!
  assert.deepEqual(historyAt(twice, 12, 1_000), twice, 'nobody knows the times')
})

test('a warning names the cut, the epoch, and where the lost records are', () => {
  const [history] = joinLineages([chain(undefined, old), chain(3, [of(3, 7, 7, 20)])])
  assert.deepEqual(warningsOf(history!), [
    'orders-0: an unclean leader election cut the log at offset 7; the plan goes on there with leader epoch 3; what Kafka lost of it, up to 11, stays in orders/0/',
  ])
})
