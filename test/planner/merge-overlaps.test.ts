import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTileKey } from '../../src/format/keys.ts'
import { countDataKeepFile } from '../../src/planner/count-data-keep.ts'
import { mergeOverlaps } from '../../src/planner/merge-overlaps.ts'
import { scanFile } from '../../src/planner/scan-file.ts'
import { surveyTopic } from '../../src/planner/survey.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { Prunes } from '../../src/catalog/prunes.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { dataKeepFile, dataKeepKey, dataKeepRecord } from '../helpers/data-keep-files.ts'
import type { DataKeepRecord } from '../helpers/data-keep.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { surveyed } from '../helpers/planned.ts'
import { Dice, testSeed } from '../helpers/seed.ts'

const place = { topic: 'orders', partition: 0 }
const scanning = { maxRecordBytes: 1024 * 1024, signal: new AbortController().signal }

class Scene {
  readonly deps = { store: newMemoryStore(), pool: new BufferPool(0) }
  readonly dice: Dice
  readonly tiles: SurveyedTile[] = []

  constructor(dice: Dice) {
    this.dice = dice
  }

  /** A record; its headers come in another order each time that it is written. */
  record(offset: number): DataKeepRecord {
    return dataKeepRecord(offset, new Dice(`record ${offset}`, 'one of them'))
  }

  async put(records: readonly DataKeepRecord[]): Promise<void> {
    const shuffled = records.map(record => ({
      ...record,
      headers: this.dice.number() < 0.5 ? record.headers : record.headers.toReversed(),
    }))
    const key = dataKeepKey(place, records[0]!.offset)
    const put = await this.deps.store.put(key, bodyOf(dataKeepFile(shuffled, place, this.dice)), {})
    assert.ok(put.created)
    const { etag } = put
    const listed = { key, etag, bytes: 1, place: parseTileKey(key)!, modifiedAtMs: 0 }
    const counted = await countDataKeepFile(this.deps as never, listed, scanning)
    const from = Number(records[0]!.offset)
    this.tiles.push(
      surveyed(from, counted.to, { ...counted, key, etag, clusterId: undefined, topicId: undefined, origin: from }),
    )
  }

  /** The offsets that a plan of the merged files would restore, in order; counts are checked on the way. */
  async merged(): Promise<number[]> {
    const tiles = await mergeOverlaps(
      this.deps,
      this.tiles.toSorted((a, b) => a.from - b.from),
      scanning,
    )
    const offsets: number[] = []
    for (const tile of tiles) {
      const own: number[] = []
      await scanFile(this.deps, tile, scanning, ({ spans: { offset } }) => {
        if (offset >= tile.from && offset < tile.to) own.push(offset)
      })
      assert.equal(tile.records, own.length, tile.key)
      assert.equal(tile.dataEnd, own.at(-1)! + 1, tile.key)
      offsets.push(...own)
    }
    return offsets
  }
}

test('whichever files overlap, each record is taken once, in order', async () => {
  let overlaps = 0
  for (let n = 0; n < 60; n++) {
    const scene = new Scene(new Dice(`overlap ${n}`))
    const { dice } = scene
    const offsets: number[] = []
    for (let offset = dice.between(0, 3); offsets.length < 40; offset += dice.pick([1, 1, 1, 4])) offsets.push(offset)
    const starts = new Set<number>()
    let covered = 0
    while (covered < offsets.length) {
      const start = dice.between(Math.max(0, covered - 12), covered)
      if (starts.has(start)) continue
      starts.add(start)
      const end = Math.min(offsets.length, start + dice.between(1, 15))
      if (start < covered) overlaps++
      covered = Math.max(covered, end)
      await scene.put(offsets.slice(start, end).map(offset => scene.record(offset)))
    }
    assert.deepEqual(await scene.merged(), offsets, `TEST_SEED=${testSeed} ${n}`)
  }
  assert.ok(overlaps > 50)
})

const range = (from: number, to: number, without: readonly number[] = []) =>
  Array.from({ length: to - from }, (_, n) => from + n).filter(offset => !without.includes(offset))

for (const [title, first, second, wanted] of [
  ['the later file was read before compaction', range(0, 10, [6, 7]), range(4, 14), range(0, 14)],
  ['the earlier one was', range(0, 10), range(4, 14, [6, 7]), range(0, 14)],
  ['one within the other', range(0, 10), range(4, 8), range(0, 10)],
  ['one within the other, which lacks some of it', range(0, 10, [5]), range(4, 8), range(0, 10)],
] as const) {
  test(`where compaction took some in between, the file that has more gives them: ${title}`, async () => {
    const scene = new Scene(new Dice(title))
    for (const offsets of [first, second]) await scene.put(offsets.map(offset => scene.record(offset)))
    assert.deepEqual(await scene.merged(), wanted)
  })
}

test('different records at one offset, or some missing on each side, are refused with both files', async () => {
  const changes: readonly ((record: DataKeepRecord) => DataKeepRecord)[] = [
    record => ({ ...record, value: Buffer.from('another') }),
    record => ({ ...record, key: Buffer.from('another') }),
    record => ({ ...record, timestamp: record.timestamp + 1n }),
    record => ({ ...record, headers: [...record.headers, [Buffer.from('one'), Buffer.from('more')]] }),
  ]
  for (const change of changes) {
    const scene = new Scene(new Dice('conflict'))
    await scene.put(range(0, 10).map(offset => scene.record(offset)))
    await scene.put(range(5, 12).map(offset => (offset === 8 ? change(scene.record(offset)) : scene.record(offset))))
    await assert.rejects(scene.merged(), {
      code: 'TILING_HOLE',
      message: /-0{19}\.avro and .*-0{18}5\.avro overlap and hold different records at offset 8/,
    })
  }
  const scene = new Scene(new Dice('both lack some'))
  await scene.put(range(0, 10, [6]).map(offset => scene.record(offset)))
  await scene.put(range(4, 12, [7]).map(offset => scene.record(offset)))
  await assert.rejects(scene.merged(), { code: 'TILING_HOLE', message: /each some that the other lacks/ })
})

test('files of our own that overlap are left as they are', async () => {
  const tiles = [surveyed(0, 8), surveyed(5, 12)]
  const deps = { store: newMemoryStore(), pool: new BufferPool(0) }
  assert.deepEqual(await mergeOverlaps(deps, tiles, scanning), tiles)
})

test('partitions are compared one after the other: each may fill the memory', async () => {
  const store = newMemoryStore()
  const dice = new Dice(testSeed, 'one after the other')
  const record = (offset: number) => dataKeepRecord(offset, new Dice(`record ${offset}`, 'one of them'))
  for (const partition of [0, 1, 2, 3]) {
    for (const offsets of [range(0, 10), range(5, 15)]) {
      const records = offsets.map(record)
      const key = dataKeepKey({ topic: 'orders', partition }, records[0]!.offset)
      await store.put(key, bodyOf(dataKeepFile(records, { topic: 'orders', partition }, dice)), {})
    }
  }
  const gets = new Map<string, number>()
  const compared: number[] = []
  const watched: ObjectStore = {
    ...store,
    get: (key, options) => {
      const before = gets.get(key) ?? 0
      gets.set(key, before + 1)
      // The header, and its records once to count them.
      if (before >= 2) compared.push(parseTileKey(key)!.partition)
      return store.get(key, options)
    },
  }
  const deps = { store: watched, pool: new BufferPool(0) } as never
  const told = { onForeign: assert.fail, onUnencrypted: assert.fail, onTile: () => undefined }
  const options = { ...scanning, ...told, prunes: new Prunes() }
  const { partitions } = await surveyTopic(deps, { topic: 'orders', topicId: undefined, name: 'orders' }, options)
  assert.deepEqual(
    partitions.map(({ tiles }) => tiles.reduce((sum, { records }) => sum + records, 0)),
    [15, 15, 15, 15],
  )
  const turns = compared.filter((partition, n) => partition !== compared[n - 1])
  assert.deepEqual(
    turns.toSorted((a, b) => a - b),
    [0, 1, 2, 3],
    `compared in turns: ${compared.join()}`,
  )
})
