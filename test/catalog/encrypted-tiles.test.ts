import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFileStart } from '../../src/catalog/tile-header-reader.ts'
import { readTileBlocks } from '../../src/catalog/tile-blocks.ts'
import { parseTileKey, tileKey } from '../../src/format/keys.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { place, tileFile } from '../helpers/tile-files.ts'

const key = newAgeKey()
const file = await tileFile(10, 20)

async function storedAt(name: string) {
  const store = newMemoryStore()
  const body = await sealFor([key.recipient])(bodyOf(file.bytes))
  await store.put(name, body, {})
  return decrypting(store, { identities: [key.identity], mustBeSealed: () => true })
}

async function blocksAt(name: string): Promise<number> {
  const pool = new CountingPool()
  const limits = {
    pool,
    budget: new ByteBudget(1_000_000),
    maxRecordBytes: 1_000_000,
    signal: new AbortController().signal,
  }
  const source = { store: await storedAt(name), key: name, place: parseTileKey(name)!, etag: undefined }
  let records = 0
  for await (const block of readTileBlocks(source, limits)) {
    records += block.records
    block[Symbol.dispose]()
  }
  assert.equal(pool.taken, 0)
  return records
}

test('an encrypted file reads as the file that was sealed: header, size, blocks', async () => {
  const name = tileKey(place, 10, true)
  const { header, bytes } = await readFileStart(await storedAt(name), name, parseTileKey(name)!, {})
  assert.ok(header.kind === 'maxbrod' && header.tile.coversTo === 20)
  assert.equal(bytes, file.bytes.length)
  assert.equal(await blocksAt(name), 3)
})

for (const [what, moved] of Object.entries({
  'another topic': { ...place, topic: 'payments' },
  'another partition': { ...place, partition: 4 },
  'another incarnation': { ...place, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
  'another offset': place,
})) {
  test(`an encrypted file that was moved to the name of ${what} is refused: its header says who it is`, async () => {
    const name = tileKey(moved, what === 'another offset' ? 11 : 10, true)
    const refused = (error: unknown) =>
      isMaxbrodError(error, 'OBJECT_CORRUPT') && error.message.includes(name) && /its header says/.test(error.message)
    await assert.rejects(readFileStart(await storedAt(name), name, parseTileKey(name)!, {}), refused)
    await assert.rejects(blocksAt(name), refused)
  })
}
