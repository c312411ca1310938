import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeGroups } from '../../src/catalog/group-snapshots.ts'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { groupOffsets } from '../../src/format/snapshot/group-offsets.ts'
import { groupsKey, pointKey } from '../../src/format/system-keys.ts'
import { chooseSnapshot } from '../../src/groups/choose-snapshot.ts'
import { choosePoint } from '../../src/planner/choose-point.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { dataKeepGroups } from '../helpers/data-keep-groups.ts'
import { bodyOf } from '../helpers/object-bodies.ts'

const live = new AbortController().signal
const groups = [{ group_id: 'billing', type: null, state: null, topics: [] }]
const junk = bodyOf(Buffer.from('Obj, or what is left of it'))

/** A sound snapshot and its point at 1,000 ms, and later ones as they are named. */
async function storeWith(...later: readonly ('snapshot' | 'damaged snapshot' | 'point' | 'damaged point')[]) {
  const store = newMemoryStore()
  let key = await writeGroups(store, groups, 1_000)
  await writePoint(store, { partitions: [], groupsKey: key, atMs: 1_000 })
  for (const [n, what] of later.entries()) {
    const atMs = 2_000 + n
    if (what === 'snapshot') key = await writeGroups(store, groups, atMs)
    else if (what === 'damaged snapshot') await store.put((key = groupsKey(atMs)), junk, {})
    else if (what === 'point') await writePoint(store, { partitions: [], groupsKey: key, atMs })
    else await store.put(pointKey(atMs), junk, {})
  }
  return store
}

async function choose(store: ObjectStore, at?: number, isCovered: () => boolean = () => true) {
  const told: unknown[] = []
  const log = { warn: (facts: { key?: string }) => void told.push(facts.key) } as never
  const choice = { at, snapshot: undefined }
  const { key, point } = await chooseSnapshot({ store, clock: systemClock, log }, choice, isCovered, live)
  return { key, point: point?.key, told: told.filter(one => one !== undefined) }
}

test('the location of kafka-data-keep means its file, or what groups-backup saved there since', async () => {
  const location = 'groups/offsets.avro'
  const deps = { clock: systemClock, log: { warn: () => undefined } as never }
  const at = (store: ObjectStore) =>
    chooseSnapshot({ store, ...deps }, { at: undefined, snapshot: undefined, location }, () => true, live)
  await assert.rejects(at(newMemoryStore()), { code: 'BACKUP_NOT_FOUND', message: /^there is neither groups\/offsets/ })
  const older = await storeWith()
  assert.equal((await at(older)).key, groupsKey(1_000), 'there is no file')
  await older.put(location, bodyOf(dataKeepGroups([{ group_id: 'theirs', topics: [] }])), {})
  assert.deepEqual(
    (await at(older)).groups.map(({ group_id: id }) => id),
    ['theirs'],
  )
  const newer = groupsKey(Date.now() + 3_600_000)
  await older.put(newer, bodyOf(await groupOffsets.encode(groups)), {})
  assert.equal((await at(older)).key, newer)
})

for (const at of [undefined, 9_000]) {
  const by = at === undefined ? 'the newest' : 'that of a moment'
  test(`a damaged snapshot is passed over, and the older one comes with its own point: ${by}`, async () => {
    const store = await storeWith('damaged snapshot', 'point', 'point')
    const damaged = groupsKey(2_000)
    assert.deepEqual(await choose(store, at), { key: groupsKey(1_000), point: pointKey(1_000), told: [damaged] })
    const uncovered = await choose(store, at, () => false)
    assert.deepEqual(uncovered, { key: groupsKey(1_000), point: pointKey(1_000), told: [damaged] })
  })

  test(`a damaged point is passed over: ${by}`, async () => {
    const store = await storeWith('snapshot', 'point', 'damaged point')
    assert.deepEqual(await choose(store, at), {
      key: groupsKey(2_000),
      point: pointKey(2_001),
      told: [pointKey(2_002)],
    })
  })

  test(`where only damaged ones are, the damage is said: ${by}`, async () => {
    const store = newMemoryStore()
    await assert.rejects(choose(store, at), { code: 'BACKUP_NOT_FOUND' })
    await store.put(groupsKey(1_000), junk, {})
    await writePoint(store, { partitions: [], groupsKey: groupsKey(1_000), atMs: 1_000 })
    await assert.rejects(choose(store, at), { code: 'OBJECT_CORRUPT' })
  })
}

test('a snapshot that was named is never replaced by another one', async () => {
  const store = await storeWith('damaged snapshot')
  const choice = { at: undefined, snapshot: groupsKey(2_000) }
  const deps = { store, clock: systemClock, log: undefined as never }
  await assert.rejects(
    chooseSnapshot(deps, choice, () => true, live),
    { code: 'OBJECT_CORRUPT' },
  )
})

test('a plan passes over a damaged point with a warning, and says so when there is no other', async () => {
  const plan = (store: ObjectStore) =>
    choosePoint({ store }, { at: 9_000, topics: [], excludeTopics: [] }, new Map(), async () => [], live)
  const { point, warnings } = await plan(await storeWith('point', 'damaged point'))
  assert.equal(point.key, pointKey(2_000))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, new RegExp(pointKey(2_001)))
  const store = newMemoryStore()
  await assert.rejects(plan(store), { code: 'BACKUP_NOT_FOUND' })
  await store.put(pointKey(1_000), junk, {})
  await assert.rejects(plan(store), { code: 'OBJECT_CORRUPT' })
})
