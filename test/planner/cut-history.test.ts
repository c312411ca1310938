import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { cutHistory, unbounded } from '../../src/planner/cut-history.ts'
import type { Bounds } from '../../src/planner/cut-history.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { surveyed } from '../helpers/planned.ts'
import { putTile } from '../helpers/put-tile.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { Dice, testSeed } from '../helpers/seed.ts'

const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const scanning = { maxRecordBytes: 1024 * 1024, signal: new AbortController().signal }

/** Files with holes between their offsets, some without a record, and times that go up and down. */
async function backUp(store: ObjectStore, dice: Dice): Promise<{ tiles: SurveyedTile[]; records: DigestRecord[] }> {
  const tiles: SurveyedTile[] = []
  const records: DigestRecord[] = []
  let from = dice.between(0, 3)
  for (let n = dice.between(1, 4); n > 0; n--) {
    const own: DigestRecord[] = []
    let to = from
    for (let left = dice.pick([0, 1, 5, 9]); left > 0; left--) {
      to += dice.between(0, 2)
      const timestamp = BigInt(1_000 + 10 * to + dice.between(-40, 40))
      own.push({ offset: BigInt(to), timestamp, key: null, value: Buffer.from('v'), headers: [] })
      to++
    }
    to += dice.between(own.length === 0 ? 1 : 0, 2)
    const blocks = own.length === 0 ? [] : [own.slice(0, 3), own.slice(3)].filter(block => block.length > 0)
    const { key, etag, bytes } = await putTile(store, place, { from, to }, blocks)
    const times = own.map(({ timestamp }) => timestamp)
    tiles.push(
      surveyed(from, to, {
        key,
        etag,
        bytes,
        records: own.length,
        dataEnd: own.length === 0 ? from : Number(own.at(-1)!.offset) + 1,
        timestampMin: times.reduce<bigint | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined),
        timestampMax: times.reduce<bigint | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined),
      }),
    )
    records.push(...own)
    from = to
  }
  return { tiles, records }
}

/** What is wanted, told record by record. */
function wantedOf(
  records: readonly DigestRecord[],
  { fromOffset = 0, toOffset = Infinity, untilMs }: Bounds,
): number[] {
  const within = records.filter(({ offset }) => offset >= fromOffset && offset < toOffset)
  const later = within.findIndex(({ timestamp }) => untilMs !== undefined && timestamp > untilMs)
  return (later < 0 ? within : within.slice(0, later)).map(({ offset }) => Number(offset))
}

test('a history is cut exactly at the record, by offsets, by time, and by both, and its counts are exact', async () => {
  let cuts = 0
  for (let n = 0; n < 250; n++) {
    const dice = new Dice(`cut ${n}`)
    const store = newMemoryStore()
    const { tiles, records } = await backUp(store, dice)
    const end = tiles.at(-1)!.to
    const bounds: Bounds = {
      fromOffset: dice.number() < 0.4 ? dice.between(0, end) : undefined,
      toOffset: dice.number() < 0.4 ? dice.between(0, end + 2) : undefined,
      untilMs: dice.number() < 0.6 ? dice.between(950, 1_050 + 10 * end) : undefined,
    }
    const cut = await cutHistory({ store, pool: new BufferPool(0) }, tiles, bounds, scanning)
    const wanted = wantedOf(records, bounds)
    const seen = cut.flatMap(tile => {
      const own = wanted.filter(offset => offset >= tile.from && offset < tile.to)
      assert.equal(tile.records, own.length, `TEST_SEED=${testSeed} ${n}: records of ${tile.key}`)
      if (own.length > 0) assert.equal(tile.dataEnd, own.at(-1)! + 1, `TEST_SEED=${testSeed} ${n}: end of ${tile.key}`)
      assert.ok((tile.wholeFrom ?? tile.from) <= tile.from && tile.to <= (tile.wholeTo ?? tile.to))
      return own
    })
    assert.deepEqual(seen, wanted, `TEST_SEED=${testSeed} ${n}: ${JSON.stringify(bounds)}`)
    for (const [i, { from }] of cut.entries()) if (i > 0) assert.equal(from, cut[i - 1]!.to)
    if (wanted.length < records.length) cuts++
  }
  assert.ok(cuts > 50)
})

test('what is not cut is not read, and is the same as before', async () => {
  const tiles = [surveyed(0, 5, { timestampMax: 100n }), surveyed(5, 9, { timestampMax: 200n })]
  const deps = { store: newMemoryStore(), pool: new BufferPool(0) } // without an object
  for (const bounds of [unbounded, { fromOffset: 0, toOffset: 9, untilMs: 200 }, { ...unbounded, untilMs: 300 }])
    assert.deepEqual(await cutHistory(deps, tiles, bounds, scanning), tiles)
  assert.deepEqual(await cutHistory(deps, tiles, { ...unbounded, toOffset: 5 }, scanning), tiles.slice(0, 1))
  assert.deepEqual(await cutHistory(deps, tiles, { ...unbounded, fromOffset: 5 }, scanning), tiles.slice(1))
  await assert.rejects(cutHistory(deps, tiles, { ...unbounded, toOffset: 7 }, scanning), error =>
    isMaxbrodError(error, 'OBJECT_MISSING'),
  )
})
