import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listGenerations, readSeal, writeSeal } from '../../src/catalog/generations.ts'
import { readFileHeader } from '../../src/catalog/tile-header-reader.ts'
import { decodeSeal, encodeSeal, sourcesHash } from '../../src/format/generation.ts'
import type { GenerationSeal } from '../../src/format/generation.ts'
import { generationName, parseTileKey, sealKey } from '../../src/format/keys.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { putTile } from '../helpers/put-tile.ts'

const name = generationName('compacted', 1_700_000_000_000)
const place = { topic: 'orders', topicId: undefined, partition: 3, lineage: undefined, generation: name }
const generation = { name, from: 0, to: 20, sources: 2, sourcesSha256: 'ab'.repeat(32) }
const sha256 = 'cd'.repeat(32)
const source = (from: number, to: number) => ({ key: `o${from}`, from, to, records: 5, bytes: 100, sha256 })

/** Two files of a generation, and what its seal says. */
async function twoFiles(store: ObjectStore): Promise<GenerationSeal> {
  const files = [
    await putTile(store, place, { from: 0, to: 12 }, [plainRecords(3, 4)], undefined, { generation }),
    await putTile(store, place, { from: 12, to: 20 }, [plainRecords(2, 15)], undefined, { generation }),
  ]
  return {
    generation: name,
    clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
    topic: 'orders',
    topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
    partition: 3,
    lineage: undefined,
    origin: 0,
    covers: { from: 0, to: 20 },
    files: files.map(({ key, covers, records, bytes }) => ({ key, ...covers, records, bytes, sha256 })),
    sources: [source(0, 10), source(10, 20)],
    timestampMax: 2n ** 62n,
    droppedTombstones: { records: 3, beforeMs: 1_699_999_999_999 },
  }
}

const listing = { onForeign: (key: string) => assert.fail(key) }

test('a generation is listed with its files, and is finished once its seal is there', async () => {
  const store = newMemoryStore()
  const seal = await twoFiles(store)
  const [begun] = await listGenerations(store, listing)
  assert.deepEqual([begun?.place, begun?.kind, begun?.atMs], [place, 'compacted', 1_700_000_000_000])
  assert.deepEqual(
    begun?.files.map(({ key }) => key),
    seal.files.map(({ key }) => key),
  )
  assert.equal(await readSeal(store, begun), undefined)
  assert.equal(await writeSeal(store, place, seal), sealKey(place))
  const [finished] = await listGenerations(store, listing)
  assert.deepEqual(await readSeal(store, finished!), seal)
})

test('a seal whose answer was lost is put once more; one of somebody else stays', async () => {
  const store = newMemoryStore()
  const seal = await twoFiles(store)
  await writeSeal(store, place, seal)
  await writeSeal(store, place, seal)
  await assert.rejects(writeSeal(store, place, { ...seal, origin: 1 }), { code: 'OBJECT_CHANGED' })
})

test('what belongs to no generation is foreign, and hides none', async () => {
  const store = newMemoryStore()
  await twoFiles(store)
  const strangers = ['@compacted/notes.txt', `@${name}/orders/3/notes.txt`, '@merged/x/orders/3/generation.json']
  for (const key of strangers) await store.put(key, bodyOf('a note'), {})
  const foreign: string[] = []
  const found = await listGenerations(store, { onForeign: key => foreign.push(key) })
  assert.deepEqual(foreign.toSorted(), strangers.toSorted())
  assert.equal(found.length, 1)
})

test('files of a generation and originals do not take the place of each other', async () => {
  const store = newMemoryStore()
  const original = { ...place, generation: undefined }
  const other = generationName('compacted', 1_700_000_000_001)
  const wrong = [
    await putTile(store, place, { from: 0, to: 12 }, [plainRecords(3, 4)]),
    await putTile(store, original, { from: 0, to: 12 }, [plainRecords(3, 4)], undefined, { generation }),
    await putTile(store, { ...place, generation: other }, { from: 0, to: 12 }, [plainRecords(3, 4)], undefined, {
      generation,
    }),
  ]
  for (const { key, etag } of wrong)
    await assert.rejects(readFileHeader(store, key, parseTileKey(key)!, etag), { code: 'OBJECT_CORRUPT' }, key)
})

describe('a seal is refused', () => {
  const change: Record<string, (seal: GenerationSeal) => object> = {
    'of another topic': seal => ({ ...seal, topic: 'users' }),
    'of another partition': seal => ({ ...seal, partition: 4 }),
    'of another generation': seal => ({ ...seal, generation: generationName('merged', 5) }),
    'of another history': seal => ({ ...seal, lineage: 7 }),
    'without files': seal => ({ ...seal, files: [] }),
    'with a hole in its files': seal => ({ ...seal, files: seal.files.slice(1) }),
    'with a hole in its sources': seal => ({ ...seal, sources: seal.sources.slice(1) }),
    'that ends behind its files': seal => ({ ...seal, covers: { from: 0, to: 21 } }),
    'with a file of another folder': seal => ({
      ...seal,
      files: seal.files.map(file => ({ ...file, key: file.key.slice(1) })),
    }),
    'with a hash that is none': seal => ({ ...seal, sources: [{ ...source(0, 20), sha256: 'x' }] }),
  }
  for (const [title, damage] of Object.entries(change)) {
    test(title, async () => {
      const seal = await twoFiles(newMemoryStore())
      assert.deepEqual(decodeSeal(encodeSeal(seal), place), seal)
      const content = encodeSeal(damage(seal) as GenerationSeal)
      assert.throws(() => decodeSeal(content, place), { name: 'DecodeError' })
    })
  }
  test('whose files are not there, or have another size', async () => {
    const store = newMemoryStore()
    const seal = await twoFiles(store)
    await writeSeal(store, place, seal)
    const [found] = await listGenerations(store, listing)
    const [first, ...others] = found!.files
    for (const files of [others, [{ ...first!, bytes: 1 }, ...others]])
      await assert.rejects(readSeal(store, { ...found!, files }), { code: 'OBJECT_CORRUPT' })
  })
})

test('the hash of sources depends on each of their words, and on their order', () => {
  const [a, b] = [source(0, 10), source(10, 20)]
  const others = [[b, a], [a], [{ ...a, to: 9 }, b], [{ ...a, sha256: 'ef'.repeat(32) }, b], [{ ...a, key: 'x' }, b]]
  assert.equal(new Set([[a, b], ...others].map(sourcesHash)).size, 6)
})
