import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { verifyArchive } from '../../src/archive/verify.ts'
import { verifyOptions } from '../../src/archive/verify-options.ts'
import { writeGroups } from '../../src/catalog/group-snapshots.ts'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import { clusterKey, firstIncarnationKey } from '../../src/format/system-keys.ts'
import { tileKey } from '../../src/format/keys.ts'
import { keepReport } from '../../src/archive/report/keep-report.ts'
import { groupOffsets } from '../../src/format/snapshot/group-offsets.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { Facts, ErasableStore } from '../../src/storage/port.ts'
import { dataKeepFile, dataKeepKey } from '../helpers/data-keep-files.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { checkAsync } from '../helpers/properties.ts'
import { optionsOf } from '../helpers/options.ts'
import { Dice } from '../helpers/seed.ts'
import { soundFiles, storeOf, wholeFile } from '../helpers/sound-archive.ts'
import type { StoredObject } from '../helpers/sound-archive.ts'
import { archiveDeps, verifying } from '../helpers/verifying.ts'

const never = new AbortController().signal
const place = { topic: 'a', topicId: undefined, partition: 0, lineage: undefined }

let folder: string
let ledger: string
let files: StoredObject[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-verify-'))
  ledger = join(folder, 'verified.jsonl')
  files = await soundFiles(['a', 'b'], 3)
  assert.deepEqual((await verifying(await storeOf(files), '--state', ledger)).findings, [])
})

after(() => rm(folder, { recursive: true }))

test('a sound archive has no finding, and every byte of it was read', async () => {
  const found = await verifying(await storeOf(files))
  assert.deepEqual(found.findings, [])
  const { topics, partitions, verified, headersUnproven } = found
  assert.deepEqual([topics, partitions, found.files, verified, headersUnproven], [2, 4, 12, 12, 0])
  assert.equal(
    found.bytes,
    files.reduce((sum, { bytes }) => sum + bytes.length, 0),
  )
  assert.equal(found.records, 12 * 18)
})

const anyFile = fc.nat(11)

test('200 flipped bits, anywhere in any file: each is found and its file named', async () => {
  const bits = fc.tuple(anyFile, fc.nat(), fc.nat(7))
  await checkAsync(
    fc.asyncProperty(bits, async ([n, at, bit]) => {
      const { bytes } = files[n]!
      const flipped = Buffer.from(bytes)
      flipped[at % bytes.length]! ^= 1 << bit
      const partition = files.slice(n - (n % 3), n - (n % 3) + 3)
      await assertNamed(partition.with(n % 3, { ...files[n]!, bytes: flipped }), [files[n]!.key])
    }),
    200,
  )
})

test('a file cut at any of its bytes is found and named', async () => {
  const { bytes, key, facts } = await wholeFile(place, 0, 6)
  for (let length = 0; length < bytes.length; length++)
    await assertNamed([{ key, facts, bytes: bytes.subarray(0, length) }], [key])
})

test('a file that is shorter or longer than its header promises is found even by who reads no file but one', async () => {
  for (const bytes of [files[1]!.bytes.subarray(0, -1), Buffer.concat([files[1]!.bytes, Buffer.alloc(1)])]) {
    const { findings, verified } = await verifying(await storeOf(files.with(1, { ...files[1]!, bytes })), '--sample=1%')
    assert.deepEqual(
      [verified, findings.map(({ kind, key, from, to }) => [kind, key, from, to])],
      [1, [['damaged', files[1]!.key, 20, 40]]],
    )
  }
})

test('files that were swapped, renamed or put in the place of another are found and named', async () => {
  const pair = fc
    .tuple(anyFile, anyFile, fc.boolean(), fc.constantFrom('swap', 'copy', 'move'))
    .filter(([a, b]) => a !== b)
  await checkAsync(
    fc.asyncProperty(pair, async ([a, b, withFacts, how]) => {
      const [one, other] = [files[a]!, files[b]!]
      const as = (key: string, { bytes, facts }: StoredObject) => ({ key, bytes, facts: withFacts ? facts : {} })
      const swapped = files.with(a, as(one.key, other)).with(b, as(other.key, one))
      if (how === 'swap') return assertNamed(swapped, [one.key, other.key])
      if (how === 'copy') return assertNamed(files.with(a, as(one.key, other)), [one.key])
      const elsewhere = tileKey({ ...place, topic: 'c' }, 0)
      return assertNamed(files.with(a, as(elsewhere, one)), [elsewhere])
    }),
    100,
  )
})

test('any file that is removed is found: a hole, a missing head, or a file that was verified before', async () => {
  for (const [n, { key }] of files.entries()) {
    const left = files.toSpliced(n, 1)
    const isLast = n % 3 === 2
    const blind = await verifying(await storeOf(left))
    assert.deepEqual(
      blind.findings.map(({ kind, from, to }) => [kind, from, to]),
      isLast ? [] : [[n % 3 === 0 ? 'head' : 'hole', (n % 3) * 20, (n % 3) * 20 + 20]],
    )
    const state = join(folder, `removed-${n}`)
    await copyFile(ledger, state)
    const { findings } = await verifying(await storeOf(left), '--state', state)
    assert.ok(
      findings.some(one => one.kind === 'gone' && one.key === key),
      key,
    )
    assert.equal(findings.length, isLast ? 1 : 2)
  }
})

test('a whole file in the place of another, of the same name and offsets, is found by who verified before', async () => {
  const state = join(folder, 'replaced')
  await copyFile(ledger, state)
  const other = await wholeFile(place, 20, 40, { writer: 'somebody else' })
  assert.equal(other.key, files[1]!.key)
  for (let times = 0; times < 2; times++) {
    // Even in a sample of a hundredth: what is not what it was is always read. And it does not become right by that.
    const { findings } = await verifying(await storeOf(files.with(1, other)), '--state', state, '--sample=1%')
    assert.deepEqual(
      findings.map(({ kind, key }) => [kind, key]),
      [['replaced', other.key]],
    )
  }
})

test('what was verified under a clock that was years ahead is read again when it is right, and in a sample in its turn', async () => {
  const store = await storeOf(files)
  const readBy = async (years: number, state: string, ...argv: string[]) => {
    const clock = { ...systemClock, now: () => systemClock.now() + years * 365 * 24 * 3_600_000 }
    const path = join(folder, state)
    const options = optionsOf(verifyOptions, '--state', path, ...argv)
    const { verified } = await verifyArchive({ ...archiveDeps(store), clock }, options, never)
    const [, thisRun = ''] = (await readFile(path, 'utf8')).split('"begunMs"')
    return { verified, keys: thisRun.match(/(?<="key":")[ab][^"]*/g)?.toSorted() }
  }
  assert.equal((await readBy(9, 'ahead')).verified, 12)
  assert.equal((await readBy(0, 'ahead')).verified, 12)
  const first = await readBy(9, 'half', '--sample=50%')
  await readBy(0, 'half', '--sample=50%')
  assert.deepEqual((await readBy(0, 'half', '--sample=50%')).keys, first.keys)
})

test('files of another cluster, another topic id or another history are found and named', async () => {
  for (const [change, says] of [
    [{ clusterId: 'other' }, /is from cluster other, not/],
    [{ topicId: 'AAAAAAAAQACAAAAAAAAAAQ' }, /is from topic id AAAAAAAAQACAAAAAAAAAAQ, not Hx3y8Ra6RBe9-hFQXtB2Kg/],
    [{ origin: 7 }, /its history begins at offset 7, and the others say 0/],
  ] as const) {
    const other = await wholeFile(place, 20, 40, change)
    const { findings } = await verifying(await storeOf(files.with(1, other)))
    assert.deepEqual(
      findings.map(({ kind, key }) => [kind, key]),
      [['foreign', other.key]],
    )
    assert.match(findings[0]!.says, says)
  }
})

test('files that cover the same offsets are found with both names', async () => {
  const { findings } = await verifying(await storeOf(files.with(1, await wholeFile(place, 20, 43))))
  const [one] = findings
  assert.deepEqual([findings.length, one?.kind, one?.from, one?.to], [1, 'overlap', 40, 43])
  assert.ok(one?.says.includes(files[1]!.key) && one.says.includes(files[2]!.key))
})

test('histories of a partition must meet where the later one begins', async () => {
  const later = (origin: number) => wholeFile({ ...place, lineage: 7 }, 55, 80, { origin })
  assert.deepEqual((await verifying(await storeOf([...files, await later(55)]))).findings, [])
  const short = [...files.slice(0, 2), await later(55)]
  const { findings } = await verifying(await storeOf(short), '--topics=a')
  assert.deepEqual(
    findings.map(({ kind, from, to }) => [kind, from, to]),
    [['hole', 40, 55]],
  )
})

test('a missing head is no finding where lifecycle rules are known to remove it', async () => {
  const store = await storeOf(files.slice(1))
  assert.deepEqual(
    (await verifying(store)).findings.map(({ kind }) => kind),
    ['head'],
  )
  assert.deepEqual((await verifying(store, '--allow-missing-heads')).findings, [])
})

test('a header that no checksum covers is counted, and its words are compared with the records', async () => {
  const bare = files.map(file => ({ ...file, facts: {} }))
  const { findings, headersUnproven } = await verifying(await storeOf(bare))
  assert.deepEqual([findings, headersUnproven], [[], 12])
  for (const [name, change] of [
    ['first offset', { firstOffset: 21, lastOffset: 38 }],
    ['last offset', { lastOffset: 38 }],
    ['earliest timestamp', { timestampMin: 1n }],
    ['latest timestamp', { timestampMax: 2n ** 60n }],
    ['largest record', { recordBytesMax: 9 }],
  ] as const) {
    const sound = await wholeFile(place, 20, 40)
    const { header } = await headerOf(sound)
    const lying = await wholeFile(place, 20, 40, { content: { ...header, ...change } })
    const found = await verifying(await storeOf(files.with(1, { ...lying, facts: {} })))
    assert.deepEqual(
      found.findings.map(({ key }) => key),
      [sound.key],
      name,
    )
    assert.ok(found.findings[0]!.says.includes(name), found.findings[0]!.says)
  }
})

test('files of kafka-data-keep are read to their end, and a damaged one is named', async () => {
  const old = { topic: 'old', partition: 4 }
  const fileOf = (from: number) => {
    const records = plainRecords(30, from).map(one => ({ ...one, headers: [] }))
    const bytes = dataKeepFile(records, old, new Dice(`keep ${from}`))
    return { key: dataKeepKey(old, BigInt(from)), bytes, facts: {} }
  }
  const both = [fileOf(0), fileOf(30)]
  assert.deepEqual((await verifying(await storeOf([...files, ...both]))).findings, [])
  await assertNamed(both.with(1, { ...both[1]!, bytes: both[1]!.bytes.subarray(0, -3) }), [both[1]!.key])
})

test('facts that contradict the header, and a checksum that is another one, are found', async () => {
  const file = files[1]!
  for (const change of [{ 'covers-to': '41' }, { records: '1' }, { 'topic-id': 'x' }, { sha256: '0'.repeat(64) }])
    await assertNamed(files.with(1, { ...file, facts: { ...file.facts, ...change } }), [file.key])
})

test('a bit that flips in groups, points, definitions, reports or what names a topic is found, and ends nothing', async () => {
  const store = await storeOf(files.slice(0, 3))
  const keys = await systemObjects(store)
  const sound = await verifying(store)
  assert.deepEqual([sound.findings, sound.systemObjects, sound.systemVerified], [[], 5, 5])
  const dice = new Dice('system objects')
  for (const key of [...keys, clusterKey]) {
    for (let times = 0; times < 10; times++) {
      const read = await store.get(key)
      const bytes = Buffer.concat(await Array.fromAsync(read.body))
      const flipped = Buffer.from(bytes)
      flipped[dice.between(0, bytes.length - 1)]! ^= 1 << dice.between(0, 7)
      await replace(store, key, flipped, read.facts)
      const { findings, verified } = await verifying(store)
      // Files do not belong to another topic id that it names now.
      const named = findings.filter(({ kind }) => kind !== 'foreign').map(one => [one.kind, one.key])
      assert.deepEqual([named, verified], [[['damaged', key]], 3])
      await replace(store, key, bytes, read.facts)
    }
  }
})

test('what says whose backup it is must be there where workers left more than files; files alone may have been copied, which is told', async () => {
  const found = async (beside: readonly string[]) => {
    const store = await storeOf(files)
    const all = await systemObjects(store)
    for (const key of [clusterKey, ...all.filter(one => !beside.some(prefix => one.startsWith(prefix)))])
      await store.delete(key)
    // Of two topics, each of which has one.
    if (!beside.includes('@topics/')) await store.delete(firstIncarnationKey('b'))
    const { findings, isWithoutCluster } = await verifying(store)
    return [findings.map(({ kind, key }) => [kind, key]), isWithoutCluster]
  }
  for (const prefix of ['@topics/', '@groups/', '@points/'])
    assert.deepEqual(await found([prefix]), [[['gone', clusterKey]], false], prefix)
  assert.deepEqual(await found([]), [[], true])
  assert.deepEqual(await found(['@report/']), [[], true])
  assert.deepEqual((await verifying(await storeOf(files))).isWithoutCluster, false)
})

test('a group snapshot or a point that is replaced or gone is found by who verified before, in any sample', async () => {
  const store = await storeOf(files)
  const [key = ''] = await systemObjects(store)
  const state = join(folder, 'system')
  assert.deepEqual((await verifying(store, '--state', state)).findings, [])
  const { facts } = (await store.head(key))!
  await replace(store, key, await groupOffsets.encode([]), {})
  const kinds = async () =>
    (await verifying(store, '--state', state, '--sample=1%')).findings.map(one => [one.kind, one.key])
  assert.deepEqual(await kinds(), [['replaced', key]])
  assert.ok(facts['sha256'])
  await store.delete(key)
  assert.deepEqual(await kinds(), [['gone', key]])
})

/** One of each kind, as a backup writes them; their keys. */
async function systemObjects(store: ErasableStore): Promise<string[]> {
  const partitions = [{ partition: 0, offset: 7, leader_epoch: 1, metadata: 'm' }]
  const topics = [{ topic: 'a', topic_id: null, partitions }]
  const groups = await writeGroups(store, [{ group_id: 'g', type: null, state: null, topics }], 1_700_000_000_000)
  const point = [{ topic: 'a', topic_id: null, partition: 0, log_start: 0, end: 60 }]
  const definition = { topic: 'a', topic_id: null, partitions: 2, replication_factor: 1, configs: {}, acls: [] }
  return [
    groups,
    await writePoint(store, { atMs: 1_700_000_000_001, groupsKey: groups, partitions: point }),
    (await writeDefinitions(store, [definition], 1_700_000_000_002))!,
    firstIncarnationKey('a'),
    await keepReport(store, 1_700_000_000_003, '<!doctype html>\n<p>OK</p>\n</html>\n', new AbortController().signal),
  ]
}

async function replace(store: ErasableStore, key: string, bytes: Buffer, facts: Facts): Promise<void> {
  await store.delete(key)
  await store.put(key, bodyOf(bytes), facts)
}

async function headerOf({ key, bytes }: StoredObject) {
  const { readFileStart } = await import('../../src/catalog/tile-header-reader.ts')
  const store = await storeOf([{ key, bytes, facts: {} }])
  const { header } = await readFileStart(store, key, { ...place, from: 20, isEncrypted: false }, {})
  assert.ok(header.kind === 'maxbrod')
  return { header: header.tile.content }
}

/** Each of the keys is named by a finding. */
async function assertNamed(objects: readonly StoredObject[], keys: readonly string[]): Promise<void> {
  const { findings } = await verifying(await storeOf(objects))
  const named = new Set(findings.map(({ key }) => key))
  for (const key of keys) assert.ok(named.has(key), `${key}: ${findings.map(({ says }) => says).join('; ')}`)
}
