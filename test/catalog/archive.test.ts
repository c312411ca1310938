import assert from 'node:assert/strict'
import { test } from 'node:test'
import { archiveBody, claimArchive, findArchive } from '../../src/catalog/archive.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { objectsIn } from '../helpers/stored-backup.ts'

const wanted = { clusterId: 'cluster', archiveId: 'a'.repeat(32), createdAt: '2026-11-21T12:00:00.000Z' }

test('an archive is claimed once, and found again by whoever comes later', async () => {
  const store = newMemoryStore()
  assert.equal(await findArchive(store), undefined)
  assert.deepEqual(await claimArchive(store, wanted), wanted)
  const before = await objectsIn(store)
  const later = { ...wanted, archiveId: 'b'.repeat(32), createdAt: '2026-11-22T12:00:00.000Z' }
  assert.deepEqual(await claimArchive(store, later), wanted)
  assert.deepEqual(await objectsIn(store), before)
})

test('of many workers that start at once, one creates the archive and all get the same', async () => {
  const store = newMemoryStore()
  const claims = Array.from({ length: 10 }, (_, n) => claimArchive(store, { ...wanted, archiveId: `${n}` }))
  const archives = await Promise.all(claims)
  assert.deepEqual(new Set(archives.map(({ archiveId }) => archiveId)).size, 1)
  assert.deepEqual(await findArchive(store), archives[0])
})

test('a claim whose answer was lost is ours', async () => {
  const real = newMemoryStore()
  const store: ObjectStore = {
    ...real,
    async put(key, body, facts) {
      await real.put(key, body, facts)
      return { created: false }
    },
  }
  assert.deepEqual(await claimArchive(store, wanted), wanted)
})

test('another cluster is refused, by both names, and changes nothing', async () => {
  const store = newMemoryStore()
  await claimArchive(store, wanted)
  const before = await objectsIn(store)
  await assert.rejects(claimArchive(store, { ...wanted, clusterId: 'rebuilt' }), error => {
    assert.equal((error as { code?: string }).code, 'FOREIGN_CLUSTER')
    assert.match((error as Error).message, /holds the backup of cluster cluster, and this is cluster rebuilt/)
    return true
  })
  assert.deepEqual(await objectsIn(store), before)
})

test('a store that overwrites gets the same bytes again from the probe', () => {
  assert.deepEqual(archiveBody(wanted).sha256, archiveBody({ ...wanted }).sha256)
})

test('an archive that does not say whose it is is refused by name', async () => {
  for (const content of ['', 'null', '{}', '{"clusterId":1,"archiveId":"a","createdAt":"b"}', 'garbage', '"x"']) {
    const store = newMemoryStore()
    await store.put('@cluster/cluster.json', bodyOf(content), {})
    await assert.rejects(claimArchive(store, wanted), { code: 'OBJECT_CORRUPT' }, content)
  }
  const store = newMemoryStore()
  await store.put('@cluster/cluster.json', bodyOf(Buffer.alloc(65 * 1024)), {})
  await assert.rejects(claimArchive(store, wanted), { code: 'OBJECT_LIMIT' })
})

test('an archive that is taken and cannot be found is an error, not a new archive', async () => {
  const store: ObjectStore = { ...newMemoryStore(), put: async () => ({ created: false }) }
  await assert.rejects(claimArchive(store, wanted), { code: 'OBJECT_MISSING' })
})
