import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChain } from '../../src/executor/chain-source.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { planFile } from '../helpers/planned.ts'
import { putTile } from '../helpers/put-tile.ts'
import { watchReads } from '../helpers/watched-reads.ts'

test('no record beyond those that were planned leaves a file that holds more', async () => {
  const store = newMemoryStore()
  const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
  const blocks = [plainRecords(10, 0), plainRecords(10, 10)]
  const { key, etag, bytes } = await putTile(store, place, { from: 0, to: 20 }, blocks)
  const file = { ...planFile(0, 0, 19, 0, 20), object: { key, etag, bytes } }
  const pool = new CountingPool()
  const budget = new ByteBudget(1_000_000)
  const limits = { pool, budget, maxRecordBytes: 1_000, signal: new AbortController().signal }
  let records = 0
  const read = async () => {
    for await (const item of readChain([file], { store, limits, batchBytes: 200, tail: undefined })) {
      assert.equal(item.kind, 'batches')
      using _ = item
      for (const { builder } of item.batches) {
        records += builder.records
        builder.release()
      }
    }
  }
  await assert.rejects(read(), { code: 'OBJECT_CORRUPT', message: /more records than the 19 that were planned/ })
  assert.ok(records <= 19, `${records} records`)
  assert.equal(pool.taken, 0)
  assert.equal(budget.usedBytes, 0)
})

test('a file is read by one request, however many blocks it has', async () => {
  const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
  const { store, keys } = watchReads(newMemoryStore())
  const blocks = Array.from({ length: 9 }, (_, n) => plainRecords(10, n * 10))
  const { key, etag, bytes } = await putTile(store, place, { from: 0, to: 90 }, blocks)
  const file = { ...planFile(0, 0, 90, 0, 90), object: { key, etag, bytes } }
  const limits = { pool: new CountingPool(), budget: new ByteBudget(1_000_000), maxRecordBytes: 1_000 }
  const { signal } = new AbortController()
  let records = 0
  for await (const item of readChain([file], {
    store,
    limits: { ...limits, signal },
    batchBytes: 200,
    tail: undefined,
  })) {
    if (item.kind !== 'batches') continue
    using _ = item
    for (const { builder } of item.batches) {
      records += builder.records
      builder.release()
    }
  }
  assert.equal(records, 90)
  assert.deepEqual(keys, [key])
})
