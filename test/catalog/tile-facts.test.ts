import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTileFacts } from '../../src/catalog/tile-facts.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { place, putTile, tileFile } from '../helpers/tile-files.ts'
import { watchReads } from '../helpers/watched-reads.ts'

const tile = { ...place, from: 0, isEncrypted: false }

/** What a writer learns of a sound file when its first `damaged` reads come with another first byte. */
async function readDamaged(damaged: number) {
  const store = newMemoryStore()
  const file = await tileFile(0, 10)
  await putTile(store, file)
  const watched = watchReads(store, (_key, n, chunk) => (n > damaged ? chunk : flipped(chunk)))
  const found = await readTileFacts(watched.store, file.key, tile)
  return { found, reads: watched.keys.length }
}

function flipped(chunk: Buffer): Buffer {
  const bad = Buffer.from(chunk)
  bad.writeUInt8(bad.readUInt8(0) ^ 1, 0)
  return bad
}

test('a file whose bytes were damaged on their way is read again, and no conflict', async () => {
  for (const damaged of [0, 1, 2]) {
    const { found, reads } = await readDamaged(damaged)
    assert.ok(found?.kind === 'tile', JSON.stringify(found))
    assert.equal(found.facts.coversTo, 10)
    assert.equal(reads, damaged + 1)
  }
})

test('a file that comes damaged each time is damaged', async () => {
  const { found, reads } = await readDamaged(Infinity)
  assert.equal(found?.kind, 'no tile')
  assert.equal(reads, 3)
})

test('a key without an object is asked for once', async () => {
  const { store, keys } = watchReads(newMemoryStore())
  assert.equal(await readTileFacts(store, (await tileFile(0, 10)).key, tile), undefined)
  assert.equal(keys.length, 1)
})
