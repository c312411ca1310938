import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findGroups, readGroups, writeGroups } from '../../src/catalog/group-snapshots.ts'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { SoundSnapshots } from '../../src/catalog/sound-snapshots.ts'
import { groupsKey, parseSnapshotKey, pointKey } from '../../src/format/system-keys.ts'
import type { GroupOffsets } from '../../src/format/snapshot/group-offsets.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { dataKeepGroups } from '../helpers/data-keep-groups.ts'

const groups: GroupOffsets[] = [
  {
    group_id: 'billing',
    type: 'classic',
    state: 'Empty',
    topics: [
      {
        topic: 'orders',
        topic_id: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
        partitions: [
          { partition: 0, offset: 2 ** 53 - 2, leader_epoch: 7, metadata: 'ÄÖ \u0000' },
          { partition: 1, offset: 0, leader_epoch: null, metadata: null },
        ],
      },
    ],
  },
  { group_id: 'nothing committed', type: 'consumer', state: null, topics: [] },
]

const strict = (store: ObjectStore) =>
  new SoundSnapshots(store, (_, error) => {
    throw error
  })

/** avsc makes objects of its own classes. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

test('groups that were written are read back, and a point names its group snapshot', async () => {
  const store = newMemoryStore()
  const key = await writeGroups(store, groups, Date.UTC(2026, 10, 21))
  assert.equal(key, '@groups/2026-11-21T00-00-00.000Z.avro')
  assert.deepEqual(plain((await readGroups(store, key)).groups), groups)
  const partitions = [{ topic: 'orders', topic_id: null, partition: 3, log_start: 5, end: 2 ** 53 - 2 }]
  await writePoint(store, { partitions, groupsKey: key, atMs: 1_000 })
  await writePoint(store, { partitions: [], groupsKey: undefined, atMs: 2_000 })
  const points = await Array.fromAsync(strict(store).pointsNotAfter(Date.now()))
  assert.deepEqual(plain(points), [
    { key: pointKey(2_000), atMs: 2_000, partitions: [] },
    { key: pointKey(1_000), atMs: 1_000, groupsKey: key, partitions },
  ])
})

test('a snapshot is written once: what lies there is never replaced, and our own lost answer is no trouble', async () => {
  const store = newMemoryStore()
  await writeGroups(store, groups, 1_000)
  await writeGroups(store, groups, 1_000)
  await assert.rejects(writeGroups(store, [], 1_000), { code: 'OBJECT_CHANGED' })
  assert.equal((await readGroups(store, groupsKey(1_000))).groups.length, 2)
})

test('the newest snapshot not after a moment is found, however far back it lies, and each one once', async () => {
  const store = newMemoryStore()
  const day = 24 * 3_600_000
  const moments = [1, day, 2 * day, 300 * day, 331 * day, 361 * day - 1, 361 * day, 361 * day + 1]
  for (const atMs of moments) await writePoint(store, { partitions: [], groupsKey: undefined, atMs })
  await store.put('@points/2026-11-21.avro', bodyOf(Buffer.from('foreign')), {})
  for (const limit of [0, ...moments, 362 * day, 4_000 * day]) {
    const found = await Array.fromAsync(strict(store).pointsNotAfter(limit))
    assert.deepEqual(
      found.map(({ atMs }) => atMs),
      moments.filter(atMs => atMs <= limit).toReversed(),
      String(limit),
    )
  }
  assert.equal(await findGroups(store, Date.now()), undefined)
})

test('only keys of the grammar name a moment', () => {
  const at = Date.UTC(2026, 10, 21, 5, 30, 13, 123)
  assert.equal(parseSnapshotKey('@groups/', groupsKey(at)), at)
  for (const key of [
    '@groups/2026-02-30T00-00-00.000Z.avro',
    '@groups/x.avro',
    pointKey(at),
    groupsKey(at).slice(0, -1),
  ])
    assert.equal(parseSnapshotKey('@groups/', key), undefined, key)
})

for (const codec of ['null', 'deflate', 'zstandard'] as const) {
  test(`a file of kafka-data-keep with the codec ${codec} is read as groups`, async () => {
    const store = newMemoryStore()
    const given = [{ group_id: 'g', topics: [{ topic: 't', partitions: groups[0]!.topics[0]!.partitions }] }]
    const file = dataKeepGroups(given, codec)
    await store.put('offsets.avro', bodyOf(file), {})
    const read = await readGroups(store, 'offsets.avro')
    assert.deepEqual(plain(read.groups), [
      { ...given[0], type: null, state: null, topics: [{ ...given[0]!.topics[0], topic_id: null }] },
    ])
    await store.put('cut.avro', bodyOf(file.subarray(0, -20)), {})
    await assert.rejects(readGroups(store, 'cut.avro'), { code: 'OBJECT_CORRUPT' })
  })
}

test('a point is no group snapshot, and a missing one is said to be missing', async () => {
  const store = newMemoryStore()
  const key = await writePoint(store, { partitions: [], groupsKey: undefined, atMs: 1_000 })
  await assert.rejects(readGroups(store, key), { code: 'OBJECT_CORRUPT' })
  await assert.rejects(readGroups(store, '@groups/none.avro'), { code: 'OBJECT_MISSING' })
})
