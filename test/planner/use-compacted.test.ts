import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generationName, tileKey } from '../../src/format/keys.ts'
import { unbounded } from '../../src/planner/cut-history.ts'
import type { PartitionGeneration } from '../../src/planner/generations.ts'
import type { SurvivingHistory } from '../../src/planner/lineages.ts'
import { chainAfter } from '../../src/planner/plan-state.ts'
import { restOfChain } from '../../src/planner/rest-of-chain.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'
import { withCompacted } from '../../src/planner/use-compacted.ts'
import { planFile, surveyed, topicId, wantedChain } from '../helpers/planned.ts'

const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }

/** A generation of these ranges, whose sources have nothing later than `timestampMax`. */
function generation(atMs: number, ranges: readonly [number, number][], timestampMax = 1_000n): PartitionGeneration {
  const name = generationName('compacted', atMs)
  const tiles = ranges.map(([from, to]) =>
    surveyed(from, to, { key: tileKey({ ...place, generation: name }, from), records: Math.ceil((to - from) / 4) }),
  )
  const [from, to] = [ranges[0]![0], ranges.at(-1)![1]]
  const seal = {
    generation: name,
    clusterId: 'c',
    ...place,
    topicId,
    origin: 0,
    covers: { from, to },
    files: [],
    sources: [],
    timestampMax,
    droppedTombstones: undefined,
  }
  return { name, atMs, seal, tiles }
}

const originals = [surveyed(0, 40), surveyed(40, 100), surveyed(100, 150)]
const history = (tiles: readonly SurveyedTile[] = originals): SurvivingHistory => ({ place, tiles, cuts: [] })
const first = generation(1, [
  [0, 30],
  [30, 40],
])
const second = generation(2, [
  [0, 60],
  [60, 100],
])
const both = [second, first]
const ranges = (tiles: readonly SurveyedTile[]) => tiles.map(({ key, from, to }) => [key.startsWith('@'), from, to])

test('a generation up to its end, then the originals that continue it: the one that reaches furthest', () => {
  const { tiles, generation: name, warnings } = withCompacted(history(), both, unbounded, undefined)
  assert.deepEqual(ranges(tiles), [
    [true, 0, 60],
    [true, 60, 100],
    [false, 100, 150],
  ])
  assert.deepEqual([name, warnings], [second.name, []])
})

test('an original that reaches over the end of the generation counts from there on', () => {
  const { tiles } = withCompacted(history([surveyed(0, 70), surveyed(70, 90)]), [first], unbounded, undefined)
  assert.deepEqual(ranges(tiles).at(-2), [false, 40, 70])
  assert.equal(tiles.at(-2)?.wholeFrom, 0, 'its records are counted anew')
})

test('without a generation, and where it is behind all originals, what is there is used', () => {
  assert.deepEqual(withCompacted(history(), [], unbounded, undefined).tiles, originals)
  const { tiles } = withCompacted(history(originals.slice(0, 1)), both, unbounded, undefined)
  assert.deepEqual(ranges(tiles), [
    [true, 0, 60],
    [true, 60, 100],
  ])
})

const cuts = [
  ['an end inside of the newest uses the older one', { toOffset: 70 }, first.name],
  ['an end at its end uses it', { toOffset: 100 }, second.name],
  ['an end inside of all uses originals', { toOffset: 20 }, undefined],
  ['a beginning inside of all uses originals', { fromOffset: 10 }, undefined],
  ['a moment before their last record uses originals', { untilMs: 999 }, undefined],
  ['a moment behind their last record uses the newest', { untilMs: 1_000 }, second.name],
] as const

for (const [title, bounds, name] of cuts) {
  test(title, () => {
    const found = withCompacted(history(), both, { ...unbounded, ...bounds }, undefined)
    assert.equal(found.generation, name)
    if (name !== undefined) return
    assert.deepEqual(found.tiles, originals)
    assert.equal(found.warnings.length, 2)
    assert.match(found.warnings[0] ?? '', /^@compacted\/.* is not used for orders-0: .*latest record per key/)
  })
}

test('a cut inside of a generation whose originals are gone is refused, with what to do', () => {
  for (const bounds of [{ toOffset: 20 }, { untilMs: 5 }])
    assert.throws(() => withCompacted(history(originals.slice(1)), both, { ...unbounded, ...bounds }, undefined), {
      code: 'TILING_HOLE',
      message: /the originals of orders-0 before offset 40 are gone/,
    })
  const behind = { ...unbounded, fromOffset: 45 }
  assert.equal(withCompacted(history(originals.slice(1)), both, behind, undefined).generation, undefined, 'not needed')
})

test('a generation with records that Kafka lost in an unclean leader election is not used', () => {
  const lost = history()
  const found = withCompacted({ ...lost, cuts: [{ at: 60, lineage: 3, lost }] }, both, unbounded, undefined)
  assert.equal(found.generation, first.name)
})

/** The state of a plan that has these files. */
const plannedTo = (files: readonly SurveyedTile[]) => {
  const chain = files.reduce<ReturnType<typeof chainAfter> | undefined>((before, { key, from, to, records }, index) => {
    const file = planFile(index, before?.records ?? 0, records, from, to)
    return chainAfter(before, { ...file, object: { ...file.object, key } }, 0)
  }, undefined)
  return { chain: chain!, source: chain!.sources[0]! }
}

test('a plan that is begun goes on with the generation that it began with, and with originals behind it', () => {
  const inside = plannedTo(first.tiles.slice(0, 1))
  assert.equal(withCompacted(history(), both, unbounded, inside.source).generation, first.name)
  const behind = plannedTo(first.tiles)
  assert.deepEqual(withCompacted(history(), both, unbounded, behind.source).tiles, originals)
  const gone = withCompacted(history(), [second], unbounded, inside.source)
  assert.deepEqual([gone.generation, gone.tiles], [undefined, originals], 'the generation is gone: originals follow')
})

test('a plan that began with originals enters no generation, whoever asks', () => {
  const { chain, source } = plannedTo(originals.slice(0, 1))
  assert.deepEqual(withCompacted(history(), both, unbounded, source).tiles, originals)
  const raced = [
    ...generation(3, [
      [0, 40],
      [40, 100],
    ]).tiles,
    ...originals.slice(2),
  ]
  assert.throws(() => restOfChain(wantedChain(0, raced), chain), {
    code: 'PLAN_FOREIGN',
    message: /leaves out what follows/,
  })
})
