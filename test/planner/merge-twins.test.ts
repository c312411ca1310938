import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prunes } from '../../src/catalog/prunes.ts'
import { surveyTopic } from '../../src/planner/survey.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { putTile } from '../helpers/put-tile.ts'

// A worker that does not encrypt yet and one that does already have names of their own for the files of the same offsets.

const key = newAgeKey()
const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }

function openScene() {
  const plain = newMemoryStore()
  const seal = sealFor([key.recipient])
  const sealed: ObjectStore = {
    ...plain,
    put: async (name, body, facts, signal) => plain.put(`${name}.age`, await seal(body), facts, signal),
  }
  const put = (store: ObjectStore, from: number, to: number, records = plainRecords(to, 0).slice(from)) =>
    putTile(store, place, { from, to }, [records])
  const survey = async () => {
    const store = decrypting(plain, { identities: [key.identity], mustBeSealed: () => false })
    const deps = { store, pool: new BufferPool(0) }
    const told = { onForeign: assert.fail, onUnencrypted: assert.fail, onTile: () => undefined }
    const scanning = { maxRecordBytes: 1_000_000, signal: new AbortController().signal }
    const options = { ...scanning, ...told, prunes: new Prunes() }
    const folder = { topic: 'orders', topicId: undefined, name: 'orders' }
    const { partitions } = await surveyTopic(deps as never, folder, options)
    return partitions[0]!.tiles
  }
  return { plain, sealed, put, survey }
}

test('where a plain and an encrypted file overlap, each record is planned once', async () => {
  const { plain, sealed, put, survey } = openScene()
  await put(plain, 0, 100)
  await put(plain, 100, 200)
  await put(sealed, 100, 150)
  await put(sealed, 150, 230)
  await put(sealed, 230, 240)
  const spans = (await survey()).map(({ key: name, from, to, records }) => [name.endsWith('.age'), from, to, records])
  assert.deepEqual(spans, [
    [false, 0, 100, 100],
    [false, 100, 200, 100],
    [true, 200, 230, 30],
    [true, 230, 240, 10],
  ])
})

test('twins that hold different records at an offset are refused, and both are named', async () => {
  const { plain, sealed, put, survey } = openScene()
  await put(plain, 0, 10)
  const other = plainRecords(10, 0).map((record, n) => (n === 7 ? { ...record, timestamp: 1n } : record))
  await put(sealed, 0, 10, other)
  await assert.rejects(
    survey(),
    (error: unknown) =>
      isMaxbrodError(error, 'TILING_HOLE') && /\.avro and .*\.avro\.age overlap.*offset 7/.test(error.message),
  )
})

test('two files of the same kind that overlap are left for the audit', async () => {
  const { sealed, put, survey } = openScene()
  await put(sealed, 0, 10)
  await put(sealed, 5, 15)
  assert.deepEqual(
    (await survey()).map(({ from, to }) => [from, to]),
    [
      [0, 10],
      [5, 15],
    ],
  )
})
