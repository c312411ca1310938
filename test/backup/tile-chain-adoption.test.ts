import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { contentOf } from '../helpers/object-bodies.ts'
import { openChain } from '../helpers/open-chain.ts'
import { proveByCatalog } from '../helpers/catalog-proof.ts'
import { objectsIn } from '../helpers/stored-backup.ts'
import { putTile, tileFile } from '../helpers/tile-files.ts'

const folder = 'orders/3/'

/** The spans of the tiles in a store, after the catalog's proof. */
async function spansIn(store: ObjectStore): Promise<(readonly [number, number])[]> {
  const proven = await proveByCatalog(store)
  return (proven.get(folder) ?? []).map(({ from, to }) => [from, to] as const)
}

test('a tile of somebody else in our place is adopted with all behind it; ours are dropped, and reading goes on at the end', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store)
  await opened.readTile(10)
  await opened.chain.drained()
  for (const [from, to] of [
    [10, 17],
    [17, 50],
    [50, 55],
  ] as const)
    await putTile(store, await tileFile(from, to, { uploadId: 'theirs' }))
  const theirs = await objectsIn(store)
  await opened.readTile(20)
  await opened.readTile(30)
  await opened.read(40)
  await opened.chain.drained()
  assert.deepEqual(opened.moved, [{ position: 55, barrier: undefined }])
  assert.equal(opened.position(), 55)
  assert.deepEqual(opened.commits.at(-1), { offset: 55, lastFrom: 50 })
  assert.deepEqual(await objectsIn(store), theirs)
  await opened.readTile(60)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 17],
    [17, 50],
    [50, 55],
    [55, 60],
  ])
  assert.deepEqual(opened.troubles, [])
})

test('a hole up to a tile that lies ahead is filled, and the chain goes on behind that one', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(20, 35, { uploadId: 'theirs' }))
  await putTile(store, await tileFile(50, 60, { uploadId: 'theirs' }))
  await using opened = await openChain(store, { resume: { barrier: 20 } })
  await opened.readTile(20)
  await opened.chain.drained()
  assert.deepEqual(opened.moved, [{ position: 35, barrier: 50 }])
  assert.deepEqual(opened.commits, [{ offset: 35, lastFrom: 20 }])
  await opened.readTile(50)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 20],
    [20, 35],
    [35, 50],
    [50, 60],
  ])
  assert.deepEqual(opened.commits.at(-1), { offset: 60, lastFrom: 50 })
})

test('an object in the way that is no tile of ours is a conflict: it stays, our bytes are kept aside, nothing is committed', async () => {
  const store = newMemoryStore()
  const foreign = await tileFile(0, 10, { clusterId: 'other' })
  await putTile(store, foreign)
  await using opened = await openChain(store, { onTrouble: () => 'stop' })
  await opened.readTile(10)
  await opened.chain.drained()
  const [error] = opened.troubles as MaxbrodError[]
  assert.equal(error?.code, 'TILE_CONFLICT')
  const keptAs = String(error.facts['keptAs'])
  assert.match(keptAs, /^@conflicts\//)
  assert.deepEqual([...(await objectsIn(store)).keys()].sort(), [keptAs, foreign.key].sort())
  assert.deepEqual(await contentOf(await store.get(foreign.key)), foreign.bytes)
  assert.deepEqual(opened.commits, [])
})
