import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { GenerationSeal } from '../../../src/format/generation.ts'
import { sourcesHash } from '../../../src/format/generation.ts'
import { readFileHeader } from '../../../src/catalog/tile-header-reader.ts'
import { listGenerations, readSeal } from '../../../src/catalog/generations.ts'
import { parseContainerHeader, encodeContainerHeader } from '../../../src/format/ocf/container-header.ts'
import { tileHeaderFromMeta, tileHeaderToMeta } from '../../../src/format/tile-header-meta.ts'
import { coverArchive } from '../../../src/archive/coverage.ts'
import { coverageOptions } from '../../../src/archive/coverage-options.ts'
import { optionsOf } from '../../helpers/options.ts'
import { archiveDeps, verifying } from '../../helpers/verifying.ts'
import { parseTileKey, sealKey } from '../../../src/format/keys.ts'
import { newMemoryStore } from '../../../src/storage/memory.ts'
import type { ObjectStore } from '../../../src/storage/port.ts'
import { compacting, firstPartition, latestOf, putRecords, recordsIn, updates } from '../../helpers/compacting.ts'
import { bodyOf, contentOf } from '../../helpers/object-bodies.ts'
import type { DigestRecord } from '../../helpers/records.ts'
import { Dice } from '../../helpers/seed.ts'
import { objectsIn } from '../../helpers/stored-backup.ts'

const place = { topic: 'users', partition: 0 }
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-compact-'))
})

after(() => rm(folder, { recursive: true }))

/** Puts `files` of so many updates behind `from`; returns the records, and the offset behind them. */
async function putUpdates(store: ObjectStore, dice: Dice, files: number, records: number, keys: number, from = 0) {
  const all: DigestRecord[] = []
  let end = from
  for (let n = 0; n < files; n++) {
    const some = updates(dice, records, keys, end)
    const to = Number(some.at(-1)?.offset ?? end) + dice.between(1, 3)
    await putRecords(store, place, end, to, some)
    all.push(...some)
    end = to
  }
  return { all, end }
}

async function sealsIn(store: ObjectStore): Promise<GenerationSeal[]> {
  const seals: GenerationSeal[] = []
  for (const listed of await listGenerations(store, { onForeign: assert.fail })) {
    const seal = await readSeal(store, listed)
    if (seal !== undefined) seals.push(seal)
  }
  return seals
}

const keysOf = (seal: GenerationSeal | undefined) => seal?.files.map(({ key }) => key) ?? []

test('the latest record of each key is written beside the originals, byte for byte, which stay as they are', async () => {
  const store = newMemoryStore()
  const dice = new Dice('compact')
  const { all, end } = await putUpdates(store, dice, 6, 300, 90)
  const originals = await objectsIn(store)
  const { made, leftOut } = await compacting(store, folder, '--topics=users')
  assert.deepEqual(leftOut, [])
  const [seal] = await sealsIn(store)
  assert.deepEqual(await recordsIn(store, keysOf(seal)), latestOf(all))
  assert.deepEqual([made[0]?.sources.records, made[0]?.files?.records], [all.length, latestOf(all).length])
  for (const [key, bytes] of originals) assert.deepEqual((await objectsIn(store)).get(key), bytes, key)
  assert.deepEqual(seal?.covers, { from: 0, to: end })
  assert.equal(seal.timestampMax, all.at(-1)?.timestamp)
  assert.deepEqual(
    (await readdir(folder)).filter(name => name !== 'compact.lock'),
    [],
    'nothing stays on the disk',
  )
  for (const { key, etag } of (await listGenerations(store, { onForeign: assert.fail }))[0]!.files) {
    const header = await readFileHeader(store, key, parseTileKey(key)!, etag)
    assert.ok(header.kind === 'maxbrod')
    assert.deepEqual(header.tile.generation, {
      name: seal.generation,
      ...seal.covers,
      sources: 6,
      sourcesSha256: sourcesHash(seal.sources),
    })
  }
})

test('a compaction goes on from the one before it, and holds what one of all files would hold', async () => {
  const store = newMemoryStore()
  const dice = new Dice('again')
  const { all, end } = await putUpdates(store, dice, 3, 200, 60)
  await compacting(store, folder, '--topics=users')
  assert.equal((await compacting(store, folder, '--topics=users')).upToDate, 1, 'nothing new')
  const later = await putUpdates(store, dice, 2, 200, 60, end)
  await compacting(store, folder, '--topics=users')
  const seals = await sealsIn(store)
  assert.deepEqual(await recordsIn(store, keysOf(seals[1])), latestOf([...all, ...later.all]))
  assert.deepEqual(
    seals[1]?.sources.slice(0, -2).map(({ key }) => key),
    keysOf(seals[0]),
    'what it was made of',
  )
})

test('with originals gone, a compaction has all that the one before it has', async () => {
  const store = newMemoryStore()
  const dice = new Dice('gone')
  const { all, end } = await putUpdates(store, dice, 3, 100, 30)
  await compacting(store, folder, '--topics=users')
  const originals = [...(await objectsIn(store)).keys()].filter(key => key.startsWith('users/'))
  for (const key of originals.slice(0, -1)) await store.delete(key)
  const later = await putUpdates(store, dice, 1, 100, 30, end)
  await compacting(store, folder, '--topics=users')
  assert.deepEqual(await recordsIn(store, keysOf((await sealsIn(store))[1])), latestOf([...all, ...later.all]))
})

test('records that say that their key is gone stay, unless they are older than was asked for', async () => {
  const store = newMemoryStore()
  const dice = new Dice('tombstones')
  const { all } = await putUpdates(store, dice, 4, 200, 150)
  const stones = latestOf(all).filter(({ key, value }) => key !== null && value === null)
  const now = Date.now()
  const youngMs = Number(stones[stones.length >> 1]!.timestamp)
  await compacting(store, folder, '--topics=users', `--drop-tombstones-older-than=${now - youngMs}ms`)
  const [seal] = await sealsIn(store)
  const { beforeMs = 0, records = 0 } = seal?.droppedTombstones ?? {}
  assert.ok(beforeMs >= youngMs, 'the age counts from the moment of the run')
  const expected = latestOf(all, beforeMs)
  assert.deepEqual(await recordsIn(store, keysOf(seal)), expected)
  assert.equal(records, latestOf(all).length - expected.length)
  assert.ok(
    records > 0 && expected.some(({ key, value }) => key !== null && value === null),
    'some were young, some old',
  )
})

test('a generation of several files tiles the range of its sources, gaps and offsets without records included', async () => {
  const store = newMemoryStore()
  const dice = new Dice('large')
  const records = Array.from({ length: 3_000 }, (_, n): DigestRecord => ({
    offset: BigInt(n * 2),
    timestamp: BigInt(n % 2 === 0 ? n : -n),
    key: Buffer.from(`k${n % 2_500}`),
    value: dice.bytes(1_200),
    headers: [],
  }))
  await putRecords(store, place, 0, 3_000, records.slice(0, 1_500))
  await putRecords(store, place, 3_000, 7_000, records.slice(1_500))
  await putRecords(store, place, 7_000, 7_500, [])
  await compacting(store, folder, '--topics=users', '--file-size=64KiB')
  const [seal] = await sealsIn(store)
  assert.ok((seal?.files.length ?? 0) > 1)
  assert.equal(seal?.covers.to, 7_500)
  assert.deepEqual(await recordsIn(store, keysOf(seal)), latestOf(records))
})

test('a partition of which nothing is left becomes one file without records', async () => {
  const store = newMemoryStore()
  await putRecords(store, place, 0, 50, [])
  await compacting(store, folder, '--topics=users')
  const [seal] = await sealsIn(store)
  assert.deepEqual(
    seal?.files.map(({ from, to, records }) => [from, to, records]),
    [[0, 50, 0]],
  )
})

test('a partition with damage or a hole is left out with the reason, and hides no other one', async () => {
  const store = newMemoryStore()
  const [damaged, sound] = [updates(new Dice('d'), 50, 9, 0), updates(new Dice('s'), 50, 9, 0)]
  const key = await putRecords(store, place, 0, 200, damaged)
  await putRecords(store, { topic: 'users', partition: 1 }, 0, 200, sound)
  await putRecords(store, { topic: 'users', partition: 2 }, 0, 100, sound.slice(0, 20))
  await putRecords(store, { topic: 'users', partition: 2 }, 300, 400, [])
  const bytes = Buffer.from(await contentOf(await store.get(key)))
  bytes[bytes.length - 30]! ^= 1
  await store.delete(key)
  await store.put(key, bodyOf(bytes), {})
  const { made, leftOut } = await compacting(store, folder, '--topics=users')
  assert.deepEqual(
    made.map(({ partition }) => partition),
    [1],
  )
  assert.deepEqual(leftOut.map(one => `${one.partition} ${one.isProblem}`).toSorted(), ['0 true', '2 true'])
  assert.match(leftOut.find(({ partition }) => partition === 2)?.reason ?? '', /no file for offsets 100 to 299/)
  assert.match(leftOut.find(({ partition }) => partition === 0)?.reason ?? '', new RegExp(`^${key}: `))
  assert.equal((await sealsIn(store)).length, 1, 'no seal for what is not whole')
})

test('merging makes few files of many small neighbours, with the same records, and leaves the last one alone', async () => {
  const store = newMemoryStore()
  const dice = new Dice('merge')
  const first = await putUpdates(store, dice, 5, 40, 30)
  const large = Array.from({ length: 20 }, (_, n): DigestRecord => ({
    offset: BigInt(first.end + n),
    timestamp: 5n,
    key: null,
    value: dice.bytes(1_000),
    headers: [],
  }))
  await putRecords(store, place, first.end, first.end + 20, large)
  const second = await putUpdates(store, dice, 4, 40, 30, first.end + 20)
  const { made } = await compacting(store, folder, '--merge', '--small-below=10KiB')
  const seals = await sealsIn(store)
  assert.deepEqual(
    made.map(({ sources, files }) => [sources.files, files?.files]),
    [
      [5, 1],
      [3, 1],
    ],
  )
  assert.deepEqual(await recordsIn(store, keysOf(seals[0])), first.all)
  assert.deepEqual(await recordsIn(store, keysOf(seals[1])), second.all.slice(0, 120))
  assert.deepEqual(
    seals.map(({ covers }) => covers.from),
    [0, first.end + 20],
  )
  const again = await compacting(store, folder, '--merge', '--small-below=10KiB')
  assert.deepEqual([again.made, again.upToDate], [[], 1], 'what is merged is not merged again')
})

test('verify reads generations and names what is damaged in them; what nobody finished counts for nothing', async () => {
  const store = newMemoryStore()
  await putUpdates(store, new Dice('verified'), 3, 100, 30)
  await compacting(store, folder, '--topics=users')
  await compacting(store, folder, '--merge')
  const sound = await verifying(store)
  assert.deepEqual([sound.findings, sound.foreign, sound.generations, sound.unfinished], [[], [], 2, 0])
  assert.deepEqual([sound.files, sound.verified], [5, 5])
  const seals = await sealsIn(store)
  const [{ key } = assert.fail()] = seals[0]?.files ?? []
  const bytes = Buffer.from(await contentOf(await store.get(key)))
  bytes[bytes.length - 20]! ^= 1
  await store.delete(key)
  await store.put(key, bodyOf(bytes), {})
  const damaged = await verifying(store)
  assert.ok(damaged.findings.some(one => one.kind === 'damaged' && one.key === key))
  await store.delete(key)
  assert.match((await verifying(store)).findings[0]?.says ?? '', /generation\.json: .* is not there/)
  for (const seal of seals) await store.delete(sealKey({ ...firstPartition, generation: seal.generation }))
  const unfinished = await verifying(store)
  assert.deepEqual([unfinished.findings, unfinished.generations, unfinished.unfinished], [[], 0, 1])
})

test('a file of a generation that is whole in itself and another than its seal names is found', async () => {
  const store = newMemoryStore()
  await putUpdates(store, new Dice('other'), 2, 100, 30)
  await compacting(store, folder, '--topics=users')
  const [{ key } = assert.fail()] = (await sealsIn(store))[0]?.files ?? []
  const file = await contentOf(await store.get(key))
  const header = parseContainerHeader(file)!
  const tile = tileHeaderFromMeta(header.meta)
  const start = encodeContainerHeader(tileHeaderToMeta({ ...tile, writer: 'maxbrod tesT' }), header.sync)
  assert.equal(start.length, header.bytes)
  await store.delete(key)
  await store.put(key, bodyOf(Buffer.concat([start, file.subarray(header.bytes)])), {})
  assert.match((await verifying(store)).findings[0]?.says ?? '', /other bytes than the seal of its generation says/)
})

test('where originals are gone, generations are no holes: neither for verify nor for coverage', async () => {
  const store = newMemoryStore()
  const { end } = await putUpdates(store, new Dice('pruned'), 4, 100, 30)
  const originals = [...(await objectsIn(store)).keys()]
  await compacting(store, folder, '--merge')
  const options = optionsOf(coverageOptions)
  const cover = async () =>
    (await coverArchive(archiveDeps(store), options, new AbortController().signal)).partitions[0]
  await store.delete(originals[1]!)
  assert.deepEqual((await verifying(store)).findings, [])
  assert.deepEqual(
    (await cover())?.segments.map(one => [one.kind, one.reason === undefined]),
    [
      ['FOUND', true],
      ['FOUND', false],
      ['FOUND', true],
    ],
  )
  await compacting(store, folder, '--topics=users')
  for (const generation of (await sealsIn(store)).filter(one => one.generation.startsWith('merged')))
    for (const { key } of generation.files) await store.delete(key)
  await store.delete(originals[0]!)
  const found = await cover()
  assert.deepEqual([found?.status, found?.segments.at(-1)?.to], ['OK', end])
  assert.match(found?.segments[0]?.reason ?? '', /has the latest record of each key/)
  const kinds = (await verifying(store)).findings.map(({ kind }) => kind)
  assert.deepEqual(new Set(kinds), new Set(['damaged']), 'only the files of the merged generation are missed')
})

test('a dry run says what would be made, and writes nothing', async () => {
  const store = newMemoryStore()
  await putUpdates(store, new Dice('dry'), 3, 40, 30)
  const untouched = await objectsIn(store)
  for (const flag of ['--topics=users', '--merge']) {
    const { made, isDryRun } = await compacting(store, join(folder, 'absent'), flag, '--dry-run')
    assert.deepEqual([isDryRun, made.length, made[0]?.files], [true, 1, undefined])
  }
  assert.deepEqual(await objectsIn(store), untouched)
  assert.ok(!(await readdir(folder)).includes('absent'), 'not even on the disk')
})

test('files that somebody else wrote at the same moment are not taken for one’s own', async () => {
  const store = newMemoryStore()
  await putUpdates(store, new Dice('race'), 2, 40, 30)
  const rival: ObjectStore = {
    ...store,
    async put(key, body, facts, signal) {
      if (key.endsWith('.avro')) await store.put(key, bodyOf('another'), { 'upload-id': 'theirs' })
      return store.put(key, body, facts, signal)
    },
  }
  const { leftOut } = await compacting(rival, folder, '--topics=users')
  assert.deepEqual(
    leftOut.map(({ isProblem }) => isProblem),
    [true],
  )
  assert.deepEqual(await sealsIn(store), [])
})
