import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { claimTopicFolder } from '../../src/catalog/incarnation.ts'
import { tileFactsToMap } from '../../src/format/facts.ts'
import { conflictKey } from '../../src/format/system-keys.ts'
import { sealKey } from '../../src/format/keys.ts'
import { listGenerations } from '../../src/catalog/generations.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import type { AgeKey } from '../helpers/age-keys.ts'
import { beginnings, dayMs, emptyArchive, firstId, pruning, pruningAt, putPoint } from '../helpers/aged-archive.ts'
import { compacting, latestOf, updates } from '../helpers/compacting.ts'
import { bodyOf, contentOf } from '../helpers/object-bodies.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { restorable } from '../helpers/restorable.ts'
import { compactingFor, openedWith, putFor, rewrapping } from '../helpers/rewrapping.ts'
import { Dice } from '../helpers/seed.ts'
import { objectsIn } from '../helpers/stored-backup.ts'
import { storedPrunes } from '../helpers/stored-prunes.ts'
import { verifying } from '../helpers/verifying.ts'

const place = { topic: 'users', partition: 0 }
const [old, present, third] = [newAgeKey(), newAgeKey(), newAgeKey()]
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-superseded-'))
})

after(() => rm(folder, { recursive: true }))

/** An archive with so many files of a partition, of fifty offsets each, for these keys. */
async function archive(files: number, ...keys: readonly AgeKey[]) {
  const store = newMemoryStore()
  const all: DigestRecord[] = []
  for (let n = 0; n < files; n++) all.push(...(await add(store, n, keys)))
  return { store, all }
}

/** One more file, the `n`th. */
async function add(store: ErasableStore, n: number, keys: readonly AgeKey[]): Promise<DigestRecord[]> {
  const records = updates(new Dice(`file ${n}`), 20, 9, n * 50).filter(({ offset }) => offset < (n + 1) * 50)
  await putFor(store, keys, place, [n * 50, (n + 1) * 50], records)
  return records
}

const toPresent = { with: [old, present], to: [present] }

/** The folders below which files lie, and where these begin. */
async function filesIn(store: ErasableStore): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {}
  for (const [name, from] of Object.entries(await beginnings(store))) {
    const plain = name.replace(/\/\d{4}-[^/]*/, '')
    found[plain] = [...(found[plain] ?? []), ...from]
  }
  return found
}

async function assertWhole(store: ErasableStore, all: readonly DigestRecord[], ...keys: readonly AgeKey[]) {
  const opened = openedWith(store, ...keys)
  assert.deepEqual(await restorable(opened, place), all)
  assert.deepEqual((await verifying(opened)).findings, [])
}

async function generationsIn(store: ErasableStore) {
  return listGenerations(store, { onForeign: assert.fail })
}

test('without --yes nothing is changed; with it originals go that are rewrapped, but for the newest', async () => {
  const { store, all } = await archive(4, old)
  await rewrapping(store, toPresent)
  const untouched = await objectsIn(store)
  const dry = await pruning(store, '--superseded')
  assert.deepEqual(await objectsIn(store), untouched)
  assert.deepEqual(
    dry.superseded.map(({ files, generations }) => [files.map(one => one.place.from), generations]),
    [[[0, 50, 100], []]],
  )
  const done = await pruning(store, '--superseded', '--yes')
  assert.deepEqual(done.deletion, { deleted: 3, refused: [], left: 0 })
  assert.deepEqual(await filesIn(store), { 'users/0': [150], '@rewrapped/users/0': [0, 50, 100, 150] })
  await assertWhole(store, all, present)
  const [record] = await storedPrunes(store)
  assert.deepEqual([record?.key, record?.objects.length, record?.partitions], [done.record, 3, []])
  const again = await pruning(store, '--superseded', '--yes')
  assert.deepEqual([again.record, again.deletion?.deleted], [undefined, 0])
  // A worker went on meanwhile: the file that was the newest is not any more.
  const later = await add(store, 4, [present])
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual((await filesIn(store))['users/0'], [200])
  await assertWhole(store, [...all, ...later], present)
})

test('without --superseded nothing of it goes, and without anything that stands for it neither', async () => {
  const { store } = await archive(3, old)
  assert.deepEqual((await pruning(store, '--superseded', '--yes')).deletion?.deleted, 0)
  await rewrapping(store, toPresent)
  assert.deepEqual((await pruning(store, '--keep=9999d', '--yes')).deletion?.deleted, 0)
})

test('the oldest go first: a file that nothing stands for keeps all behind it', async () => {
  const { store, all } = await archive(2, old)
  all.push(...(await add(store, 2, [present])), ...(await add(store, 3, [old])), ...(await add(store, 4, [old])))
  await rewrapping(store, toPresent)
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual((await filesIn(store))['users/0'], [100, 150, 200])
  await assertWhole(store, all, present)
})

test('what was merged and then rewrapped goes with all that it was made of; so does what was rewrapped for another key', async () => {
  const { store, all } = await archive(5)
  await compacting(store, folder, '--merge')
  await rewrapping(store, { with: [present], to: [present] })
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual(
    await filesIn(store),
    { 'users/0': [200], '@rewrapped/users/0': [0, 200] },
    'no plain file but the newest',
  )
  await assertWhole(store, all, present)
  await rewrapping(store, { with: [present, third], to: [third] })
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual(await filesIn(store), { 'users/0': [200], '@rewrapped/users/0': [0, 200] })
  await assertWhole(store, all, third)
  await assert.rejects(restorable(openedWith(store, present), place))
})

test('merged files alone let go of the small ones', async () => {
  const { store, all } = await archive(6)
  await compacting(store, folder, '--merge')
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual(await filesIn(store), { 'users/0': [250], '@merged/users/0': [0] })
  await assertWhole(store, all)
})

test('of two rewraps at once one is enough', async () => {
  const { store, all } = await archive(3, old)
  await Promise.all([rewrapping(store, toPresent), rewrapping(store, toPresent)])
  await pruning(store, '--superseded', '--yes')
  const { length } = (await generationsIn(store)).filter(({ seal }) => seal !== undefined)
  assert.equal(length, 1)
  await assertWhole(store, all, present)
})

/** Puts other bytes in the place of an object. */
async function replace(store: ErasableStore, key: string, change: (bytes: Buffer) => Buffer) {
  const bytes = change(Buffer.from(await contentOf(await store.get(key))))
  const { facts } = (await store.head(key))!
  await store.delete(key)
  const body = bodyOf(bytes)
  await store.put(key, body, { ...facts, sha256: body.sha256 })
}

const flip = (bytes: Buffer) => {
  bytes[bytes.length - 30]! ^= 1
  return bytes
}

/** A bit of the first file of such a generation flips, and what stands beside it says what it was. */
async function rot(store: ErasableStore, kind: string) {
  const { key } = (await generationsIn(store)).find(one => one.kind === kind)!.files[0]!
  const { facts } = (await store.head(key))!
  const bytes = flip(Buffer.from(await contentOf(await store.get(key))))
  await store.delete(key)
  await store.put(key, bodyOf(bytes), facts)
}

for (const [what, damage] of Object.entries<(store: ErasableStore) => Promise<void>>({
  'has no seal': async store => {
    const [one] = await generationsIn(store)
    await store.delete(sealKey(one!.place))
  },
  'has a damaged seal': async store => {
    const [one] = await generationsIn(store)
    await replace(store, sealKey(one!.place), bytes => bytes.subarray(0, bytes.length >> 1))
  },
  'lacks a file': async store => {
    const [one] = await generationsIn(store)
    await store.delete(one!.files[1]!.key)
  },
  'has a file that was replaced': async store => {
    const [one] = await generationsIn(store)
    await replace(store, one!.files[1]!.key, flip)
  },
  'has a file without facts': async store => {
    const [one] = await generationsIn(store)
    const { key } = one!.files[1]!
    const bytes = await contentOf(await store.get(key))
    await store.delete(key)
    await store.put(key, bodyOf(bytes), {})
  },
})) {
  test(`nothing is removed for the sake of a generation that ${what}`, async () => {
    const { store } = await archive(3, old)
    await rewrapping(store, toPresent)
    await damage(store)
    const untouched = await objectsIn(store)
    const { deletion, superseded } = await pruning(store, '--superseded', '--yes')
    assert.deepEqual([deletion?.deleted, superseded], [0, []])
    assert.deepEqual(await objectsIn(store), untouched)
  })
}

test('what stands for others is read before they go: nothing is removed for bytes that rotted under their checksum', async () => {
  const { store, all } = await archive(4)
  await compacting(store, folder, '--merge')
  await rewrapping(store, { with: [present], to: [present] })
  await rot(store, 'rewrapped')
  await pruning(store, '--superseded', '--yes')
  // The merged file is sound and stands for the small ones; nothing stands for it.
  const left = await filesIn(store)
  assert.deepEqual([left['users/0'], left['@merged/users/0']], [[150], [0]])
  assert.deepEqual(await restorable(store, place), all)

  const other = await archive(4)
  await compacting(other.store, folder, '--merge')
  await rot(other.store, 'merged')
  await pruning(other.store, '--superseded', '--yes')
  assert.deepEqual((await filesIn(other.store))['users/0'], [0, 50, 100, 150])
})

test('an original that was replaced since stays, and all behind it', async () => {
  const { store } = await archive(4, old)
  await rewrapping(store, toPresent)
  const originals = [...(await objectsIn(store)).keys()].filter(key => key.startsWith('users/'))
  await replace(store, originals[1]!, flip)
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual((await filesIn(store))['users/0'], [50, 100, 150])
})

test('with --grace files are given up at once, and deleted later', async () => {
  const { store, all } = await archive(4, old)
  await rewrapping(store, toPresent)
  const first = await pruning(store, '--superseded', '--grace=1d', '--yes')
  assert.deepEqual([first.deletion?.deleted, first.waiting], [0, 3])
  await assertWhole(store, all, present)
  await pruningAt(store, Date.now() + dayMs + 1_000, '--superseded', '--grace=1d', '--yes')
  assert.deepEqual((await filesIn(store))['users/0'], [150])
})

test('what the store does not let go keeps the generations that say what it was made into', async () => {
  const { store, all } = await archive(4)
  await compacting(store, folder, '--merge')
  await rewrapping(store, { with: [present], to: [present] })
  const [first] = [...(await objectsIn(store)).keys()].filter(key => key.startsWith('users/'))
  const locked: ErasableStore = {
    ...store,
    async deleteAll(keys, signal) {
      await store.deleteAll(
        keys.filter(key => key !== first),
        signal,
      )
      return keys.includes(first!) ? [{ key: first!, reason: 'locked' }] : []
    },
  }
  const { deletion } = await pruning(locked, '--superseded', '--yes')
  assert.deepEqual(deletion?.refused.length, 1)
  assert.deepEqual((await filesIn(store))['@merged/users/0'], [0])
  await assertWhole(store, all, present)
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual(await filesIn(store), { 'users/0': [150], '@rewrapped/users/0': [0, 150] })
})

test('a prune that dies at any delete leaves all records to whoever has the key, and the next one finishes it', async () => {
  const build = async () => {
    const made = await archive(4)
    await compacting(made.store, folder, '--merge')
    await rewrapping(made.store, { with: [present], to: [present] })
    return made
  }
  const { store: calm } = await build()
  await pruning(calm, '--superseded', '--yes')
  const left = await filesIn(calm)
  for (let dieAt = 0; ; dieAt++) {
    const { store, all } = await build()
    let deletes = 0
    const dying: ErasableStore = {
      ...store,
      async deleteAll(keys, signal) {
        for (const key of keys.toReversed()) {
          if (deletes++ === dieAt) throw new MaxbrodError('STORAGE_UNREACHABLE', 'dead')
          await store.delete(key, signal)
        }
        return []
      },
    }
    const isDead = await pruning(dying, '--superseded', '--yes').then(
      () => false,
      () => true,
    )
    await assertWhole(store, all, present)
    await pruning(store, '--superseded', '--yes')
    await pruningAt(store, Date.now() + 2 * dayMs, '--superseded', '--yes')
    assert.deepEqual(await filesIn(store), left, `dead at delete ${dieAt}`)
    await assertWhole(store, all, present)
    if (!isDead) break
    assert.ok(dieAt < 20)
  }
})

test('what a generation alone has grows old as other files do, and restoration points that need it stay', async () => {
  const store = await emptyArchive()
  const nowMs = Date.now()
  const all: DigestRecord[] = []
  for (const [n, days] of [50, 40, 20, 1].entries()) {
    const records = updates(new Dice(`old ${n}`), 20, 9, n * 50)
      .filter(({ offset }) => offset < (n + 1) * 50)
      .map(record => ({ ...record, timestamp: BigInt(nowMs - days * dayMs) }))
    await putFor(store, [old], place, [n * 50, (n + 1) * 50], records)
    all.push(...records)
    // Each in a generation of its own.
    await rewrapping(store, toPresent)
  }
  await putPoint(store, 45, [['users', 0, 0, 40]])
  for (const days of [3, 0.3, 0.2, 0.1]) await putPoint(store, days, [['users', 0, 180, 200]])
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual((await filesIn(store))['users/0'], [150])
  const kept = await pruning(store, '--keep=60d', '--yes')
  assert.deepEqual([kept.deletion?.deleted, kept.points], [0, []])
  await assertWhole(store, all, present)
  const { topics, deletion } = await pruning(store, '--keep=30d', '--yes')
  const [range] = topics[0]!.partitions[0]!.old
  assert.deepEqual([range?.range.from, range?.range.to, range?.files], [0, 100, []])
  assert.equal(deletion?.deleted, 5, 'two generations of a file and a seal, and the point that they were for')
  assert.deepEqual(await filesIn(store), { 'users/0': [150], '@rewrapped/users/0': [100, 150] })
  await assertWhole(store, all.slice(40), present)
})

/** An archive of four files, the first three of which are compacted. */
async function compactedArchive() {
  const { store, all } = await archive(3)
  await compacting(store, folder, '--topics=users')
  return { store, all: [...all, ...(await add(store, 3, []))], compacted: latestOf(all) }
}

test('what is compacted takes the place of originals only when that is asked for; then restores need it', async () => {
  const { store, all, compacted } = await compactedArchive()
  await pruning(store, '--superseded', '--yes')
  assert.deepEqual((await filesIn(store))['users/0'], [0, 50, 100, 150])
  assert.deepEqual(await restorable(store, place), all)
  const { deletion } = await pruning(store, '--superseded', '--superseded-by-compacted', '--yes')
  assert.equal(deletion?.deleted, 3)
  assert.deepEqual((await filesIn(store))['users/0'], [150])
  assert.deepEqual((await verifying(store)).findings, [])
  const later = all.filter(({ offset }) => offset >= 150)
  assert.deepEqual(await restorable(store, place, '--use-compacted'), [...compacted, ...later])
  await assert.rejects(restorable(store, place))
})

test('a restoration point that is kept, and ends inside of what was compacted, keeps the originals', async () => {
  const flags = ['--superseded', '--superseded-by-compacted', '--yes', '--keep-points=1']
  for (const [end, deleted] of [
    [149, 0],
    [150, 3],
  ] as const) {
    const { store, all } = await compactedArchive()
    await putPoint(store, 0.1, [['users', 0, 0, end]])
    assert.equal((await pruning(store, ...flags)).deletion?.deleted, deleted, `a point at ${end}`)
    if (deleted === 0) assert.deepEqual(await restorable(store, place), all)
  }
})

test('an older compaction goes when a newer one has all of it, also where it is for another key', async () => {
  const { store, all } = await compactedArchive()
  await compacting(store, folder, '--topics=users')
  await compactingFor(store, { with: [present], to: [present] }, folder, '--topics=users')
  await pruning(store, '--superseded', '--yes')
  const { length } = await generationsIn(store)
  assert.equal(length, 1)
  const opened = openedWith(store, present)
  assert.deepEqual(await restorable(opened, place, '--use-compacted'), latestOf(all))
  assert.deepEqual(await restorable(opened, place), all)
  await compacting(store, folder, '--merge')
  await compactingFor(store, { with: [present, third], to: [third] }, folder, '--topics=users')
  await pruning(store, '--superseded', '--superseded-by-compacted', '--yes')
  assert.deepEqual(await filesIn(store), { 'users/0': [150], '@compacted/users/0': [0] })
  assert.deepEqual(await restorable(openedWith(store, third), place, '--use-compacted'), latestOf(all))
})

test('a file that lost a conflict goes once it is older than what its topic keeps, and is named before', async () => {
  const { store } = await archive(2)
  await claimTopicFolder(store, 'users', firstId)
  const facts = { clusterId: 'c', topicId: firstId, lineage: undefined, coversTo: 9, records: 1, uploadId: 'u' }
  const [ours, unknown] = ['a', 'b'].map(digit => conflictKey(digit.repeat(64)))
  await store.put(ours!, bodyOf('ours'), tileFactsToMap(facts, 'x'))
  await store.put(unknown!, bodyOf('of nobody'), {})
  const conflicts = async (days: number, ...flags: string[]) =>
    (await pruningAt(store, Date.now() + days * dayMs, ...flags)).conflicts.map(({ key }) => key)
  assert.deepEqual(await conflicts(29, '--keep=30d'), [])
  assert.deepEqual(await conflicts(31, '--keep=30d'), [ours, unknown])
  assert.deepEqual(await conflicts(9_999, '--keep-bytes=1GiB'), [])
  assert.deepEqual(await conflicts(9_999, '--superseded'), [])
  await conflicts(31, '--keep=30d', '--yes')
  assert.deepEqual(
    [...(await objectsIn(store)).keys()].filter(key => key.startsWith('@conflicts/')),
    [],
  )
  assert.deepEqual((await storedPrunes(store))[0]?.objects, [ours, unknown])
})
