import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainAfter } from '../../src/planner/plan-state.ts'
import type { ChainState, SourceState } from '../../src/planner/plan-state.ts'
import { restOfChain } from '../../src/planner/rest-of-chain.ts'
import type { WantedChain } from '../../src/planner/wanted-chain.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'
import { joinsNothing, planFile, surveyed, topicId, wantedChain } from '../helpers/planned.ts'

const planned = (nextOffset: number, more: Partial<SourceState> = {}): ChainState => ({
  partition: 0,
  lastIndex: 3,
  records: nextOffset,
  sources: [stateOf(nextOffset, more)],
})

const stateOf = (nextOffset: number, more: Partial<SourceState> = {}): SourceState => ({
  source: { topic: 'orders', topicId, partition: 0 },
  folderId: undefined,
  lineage: undefined,
  cutObject: undefined,
  lastKey: 'orders/0/orders-0-0000000000000000000.avro',
  nextOffset,
  ranges: [{ from: 0, to: nextOffset }],
  ...more,
})

/** A file of kafka-data-keep: it covers all up to the next one. */
const dataKeep = (from: number, to: number, dataEnd: number) =>
  surveyed(from, to, { clusterId: undefined, topicId: undefined, records: dataEnd - from, dataEnd })

const cases = [
  ['nothing is planned', [surveyed(0, 5), surveyed(5, 9)], undefined, [0, 5], undefined],
  ['all is planned', [surveyed(0, 5), surveyed(5, 9)], 9, [], undefined],
  ['one file came after', [surveyed(0, 5), surveyed(5, 9)], 5, [5], undefined],
  ['planned files were pruned', [surveyed(5, 9)], 5, [5], undefined],
  ['planned files were pruned, and all others', [], 5, [], undefined],
  ['files behind the plan are gone', [surveyed(0, 5), surveyed(9, 12)], 5, [9], { from: 5, to: 9 }],
  ['files behind the plan are gone with those in it', [surveyed(9, 12)], 5, [9], { from: 5, to: 9 }],
  ['the last file reaches up to the next one now', [dataKeep(0, 7, 5), dataKeep(7, 9, 9)], 5, [7], undefined],
  ['an empty file came after', [surveyed(0, 5), surveyed(5, 9, { records: 0 })], 5, [5], undefined],
  ['a file without offsets is planned once', [dataKeep(0, 5, 5), dataKeep(5, 5, 5)], 5, [], undefined],
] as const

for (const [title, tiles, nextOffset, rest, hole] of cases) {
  test(`a plan goes on behind what is planned: ${title}`, () => {
    const found = restOfChain(wantedChain(0, tiles), nextOffset === undefined ? undefined : planned(nextOffset))
    assert.deepEqual([found.tiles.map(({ from }) => from), found.hole], [rest, hole])
  })
}

test('another incarnation or another topic does not go on in a chain', () => {
  for (const source of [
    { topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0 },
    { topic: 'other', topicId, partition: 0 },
    { topic: 'orders', topicId, partition: 1 },
  ])
    assert.throws(() => restOfChain(wantedChain(0, [surveyed(5, 9)]), planned(5, { source })), { code: 'PLAN_FOREIGN' })
})

test('a plan that goes beyond the place where a later lineage begins is refused; up to there it goes on', () => {
  const tiles = [surveyed(0, 5), surveyed(5, 7, { wholeTo: 9 }), surveyed(7, 12, { lineage: 4, origin: 7 })]
  const chain = wantedChain(0, tiles)
  assert.throws(() => restOfChain(chain, planned(9)), { code: 'PLAN_FOREIGN', message: /lost the records from 7 on/ })
  assert.deepEqual(
    restOfChain(chain, planned(5)).tiles.map(({ from }) => from),
    [5, 7],
  )
  assert.deepEqual(
    restOfChain(chain, planned(7)).tiles.map(({ from }) => from),
    [7],
  )
  assert.deepEqual(restOfChain(chain, planned(12, { lineage: 4 })).tiles, [])
})

test('where a topic id is not known, nothing is refused for it', () => {
  const source = { topic: 'orders', topicId: undefined, partition: 0 }
  assert.equal(restOfChain(wantedChain(0, [surveyed(5, 9)]), planned(5, { source })).tiles.length, 1)
})

test('a planned file that holds more now is refused: its tail was never planned', () => {
  assert.throws(() => restOfChain(wantedChain(0, [dataKeep(0, 8, 8)]), planned(5)), {
    code: 'PLAN_FOREIGN',
    message: /was planned up to offset 4, and now has records up to 7/,
  })
})

test('files where a plan has a hole, or before it begins, are refused: they would never be restored', () => {
  const chain = (tiles: readonly SurveyedTile[]) => wantedChain(0, tiles)
  const files = (covers: readonly (readonly [number, number])[]) =>
    covers.reduce<ChainState | undefined>(
      (before, [from, to], index) => chainAfter(before, planFile(index, 0, to - from, from, to), 0),
      undefined,
    )
  const accepted = files([
    [0, 5],
    [5, 8],
    [12, 15],
  ])
  assert.deepEqual(accepted?.sources[0]?.ranges, [
    { from: 0, to: 8 },
    { from: 12, to: 15 },
  ])
  const around = [surveyed(0, 5), surveyed(5, 8), surveyed(12, 15)]
  assert.deepEqual(restOfChain(chain([...around, surveyed(15, 20)]), accepted).tiles, [surveyed(15, 20)])
  const refused = (tiles: readonly SurveyedTile[], plan: ChainState | undefined, message: RegExp) =>
    assert.throws(() => restOfChain(chain(tiles), plan), { code: 'PLAN_FOREIGN', message })
  refused(
    around.toSpliced(2, 0, surveyed(8, 12)),
    accepted,
    /offsets 8 to 11 have a file now, .*, and were not planned/,
  )
  refused([surveyed(0, 12), surveyed(12, 15)], accepted, /offsets 8 to 11 have a file now/)
  refused([surveyed(0, 15)], accepted, /offsets 8 to 14 have a file now/)
  refused([surveyed(0, 10), surveyed(10, 15)], files([[5, 15]]), /offsets 0 to 4 have a file now/)
  assert.deepEqual(restOfChain(chain([surveyed(0, 8, { records: 0 }), surveyed(8, 15)]), files([[8, 15]])).tiles, [])
})

test('a file of which a part was planned is refused when all of it is wanted', () => {
  const slice = { fromOffset: 500, toOffset: 600 }
  const begun = chainAfter(undefined, { ...planFile(0, 0, 100, 400, 600), slice }, 0)
  assert.deepEqual(restOfChain(wantedChain(0, [surveyed(500, 600, { wholeFrom: 400 })]), begun).tiles, [])
  assert.throws(() => restOfChain(wantedChain(0, [surveyed(400, 600)]), begun), {
    code: 'PLAN_FOREIGN',
    message: /offsets 400 to 499 have a file now/,
  })
})

test('incarnations whose files tell no topic id are told apart by their folders', () => {
  const later = 'AAAAAAAAAAAAAAAAAAAAAA'
  const place = { topic: 'orders', partition: 0, lineage: undefined }
  const joins = { partitions: false, incarnations: true }
  const target = { topic: 'orders', partition: 0 }
  const plain = { source: { ...place, topicId: undefined, sourceTopicId: undefined }, tiles: [dataKeep(0, 500, 500)] }
  const reborn = { source: { ...place, topicId: later, sourceTopicId: later }, tiles: [surveyed(0, 300)] }
  const of = (chain: typeof plain | typeof reborn) => ({ ...chain, target, joins }) as WantedChain
  const file = (index: number, recordsBefore: number, to: number) => planFile(index, recordsBefore, to, 0, to)
  const first = { ...file(0, 0, 500), source: { topic: 'orders', topicId: undefined, partition: 0 } }
  const second = {
    ...file(1, 500, 300),
    source: { topic: 'orders', topicId: later, partition: 0 },
    object: { ...first.object, key: `orders@${later}/0/orders-0-${'0'.repeat(19)}.avro` },
  }
  const one = chainAfter(undefined, first, 0)
  assert.deepEqual(restOfChain(of(reborn), one).tiles, reborn.tiles)
  const both = chainAfter(one, second, 0)
  assert.deepEqual(
    [of(plain), of(reborn)].map(chain => restOfChain(chain, both).tiles),
    [[], []],
  )
  assert.throws(() => restOfChain({ ...of(reborn), joins: joinsNothing }, one), { code: 'PLAN_FOREIGN' })
})

test('sources that may join a chain go on, each behind its own files; others are refused', () => {
  const second = { topic: 'orders', topicId, partition: 3 }
  const whole = { ...planned(9), sources: [stateOf(9), stateOf(4, { source: second })] }
  const partitions = { partitions: true, incarnations: false }
  const of = (partition: number, more: object = {}) => ({
    ...wantedChain(partition, [surveyed(0, 4), surveyed(4, 12)]),
    target: { topic: 'orders', partition: 0 },
    joins: partitions,
    ...more,
  })
  const froms = (chain: WantedChain) => restOfChain(chain, whole).tiles.map(({ from }) => from)
  assert.deepEqual(froms(of(3)), [4])
  assert.deepEqual(froms(of(6)), [0, 4])
  assert.throws(() => froms(of(6, { joins: joinsNothing })), { code: 'PLAN_FOREIGN' })
  const reborn = { source: { ...of(0).source, sourceTopicId: 'AAAAAAAAAAAAAAAAAAAAAA' } }
  assert.throws(() => froms(of(0, reborn)), { code: 'PLAN_FOREIGN' })
  assert.deepEqual(froms(of(0, { ...reborn, joins: { partitions: true, incarnations: true } })), [0, 4])
})
