import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { runCli } from '../helpers/cli.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { dataKeepFile, dataKeepKey } from '../helpers/data-keep-files.ts'
import { runCommand } from '../helpers/in-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { putTile } from '../helpers/put-tile.ts'
import type { PutTile } from '../helpers/put-tile.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { Dice } from '../helpers/seed.ts'

const place = (topic: string, partition: number) => ({ topic, topicId: undefined, partition, lineage: undefined })
const topicId = 'AAAAAAAAQACAAAAAAAAAAQ'
const odd: DigestRecord = {
  offset: 13n,
  timestamp: 2n ** 63n - 1n,
  key: Buffer.from([0xff, 0x00]),
  value: null,
  headers: [
    [Buffer.from('h'), null],
    [Buffer.from('h'), Buffer.from('žluť')],
    [Buffer.from('__proto__'), Buffer.from([0x80])],
  ],
}

let base: string
let storage: string
let store: ErasableStore
let files: PutTile[]

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'maxbrod-look-'))
  storage = `--storage=${String(pathToFileURL(base))}`
  store = openDirectoryStore(base)
  files = [
    await putTile(store, place('orders', 0), { from: 0, to: 5 }, [plainRecords(3, 0), plainRecords(2, 3)]),
    await putTile(store, place('orders', 0), { from: 5, to: 20 }, [plainRecords(8, 5), [odd]], undefined, {
      gaps: [{ from: 14, to: 18, reason: 'retention' }],
    }),
    await putTile(store, place('orders', 2), { from: 7, to: 9 }, []),
    await putTile(store, { ...place('orders', 0), topicId }, { from: 0, to: 4 }, [plainRecords(4, 0)]),
    await putTile(store, place('users', 1), { from: 0, to: 2 }, [plainRecords(2, 0)]),
  ]
  await store.put('orders/0/notes.txt', bodyOf('a note'), {})
  const old = plainRecords(4, 40).map(record => ({
    ...record,
    headers: [[Buffer.from('a'), Buffer.from('b')] as const],
  }))
  const oldFile = dataKeepFile(old, { topic: 'old', partition: 4 }, new Dice('look'))
  await store.put(dataKeepKey({ topic: 'old', partition: 4 }, 40n), bodyOf(oldFile), {})
  const configs = { 'retention.ms': '3600000' }
  await writeDefinitions(
    store,
    [
      {
        topic: 'orders',
        topic_id: topicId,
        partitions: 3,
        replication_factor: 2,
        configs,
        acls: [],
        clusterPolicy: 'compact',
      },
    ],
    1_700_000_000_000,
  )
  for (const [n, groupsKey] of [undefined, '@groups/2023.avro'].entries()) {
    const partition = { topic: 'orders', topic_id: topicId, partition: 0, log_start: 0, end: 3 + n }
    await writePoint(store, { atMs: 1_700_000_000_000 + n, groupsKey, partitions: [partition] })
  }
})

after(async () => {
  store.close()
  await rm(base, { recursive: true })
})

test('ls lists topics by incarnation, with partitions, files, records, bytes, times and the newest file', async () => {
  const { exit, json } = await runCommand(['ls', storage])
  assert.equal(exit, 0)
  const topics = json['topics'] as Record<string, unknown>[]
  assert.deepEqual(
    topics.map(one => [one['folder'], one['partitions'], one['files'], one['records'], one['timestampMin']]),
    [
      ['old', 1, 1, undefined, undefined],
      ['orders', 2, 3, 14, 1_700_000_000_000],
      [`orders@${topicId}`, 1, 1, 4, 1_700_000_000_000],
      ['users', 1, 1, 2, 1_700_000_000_000],
    ],
  )
  const orders = topics[1]
  const again = topics[2]!
  assert.equal(
    orders?.['bytes'],
    files.slice(0, 3).reduce((sum, { bytes }) => sum + bytes, 0),
  )
  assert.equal(orders?.['timestampMax'], String(2n ** 63n - 1n))
  assert.equal(again['topicId'], topicId)
  assert.equal((again['newest'] as { key: string }).key, files[3]?.key)
  assert.deepEqual(json['foreign'], ['orders/0/notes.txt'])
})

test('ls prints a table for people, with ages in words', async () => {
  const { exit, stdout } = await runCli(['ls', storage, '--topics', 'orders|users'])
  assert.equal(exit, 0)
  assert.match(stdout, /^topic +partitions +files +records +size +first record +last record +newest file$/m)
  assert.match(
    stdout,
    /^users +1 +1 +2 +[\d.]+ KiB +2023-11-14T22:13:20\.000Z +2023-11-14T22:13:20\.001Z +(just now|.+ ago): users\/1\//m,
  )
  assert.match(stdout, /^3 topics, 5 files, /m)
  assert.match(stdout, /1 objects are no backup files: orders\/0\/notes\.txt/)
})

test('ls --points lists restoration points, the newest first', async () => {
  const { exit, json } = await runCommand(['ls', storage, '--points', '--limit=1'])
  assert.equal(exit, 0)
  assert.equal(json['total'], 2)
  const groups = '@groups/2023.avro'
  const key = '@points/2023-11-14T22-13-20.001Z.avro'
  assert.deepEqual(json['points'], [{ key, atMs: 1_700_000_000_001, topics: 1, partitions: 1, groups }])
})

test('backup-info lists restoration points and topics', async () => {
  const { exit, json } = await runCommand(['backup-info', storage, '--limit=1'])
  const topics = (json['topics'] as { topic: string }[]).map(({ topic }) => topic)
  assert.deepEqual(
    topics,
    ((await runCommand(['ls', storage])).json['topics'] as { topic: string }[]).map(({ topic }) => topic),
  )
  const { points } = json['restorationPoints'] as { points: { key: string }[] }
  assert.deepEqual([exit, points.map(({ key }) => key)], [0, ['@points/2023-11-14T22-13-20.001Z.avro']])
})

test('backup-info lists restoration points that were saved before the first file of a topic', async () => {
  const early = await mkdtemp(join(tmpdir(), 'maxbrod-early-'))
  const at = `--storage=${String(pathToFileURL(join(early, 'backup')))}`
  assert.equal((await runCommand(['backup-info', at])).exit, 10)
  const other = openDirectoryStore(join(early, 'backup'))
  const partitions = [{ topic: 'orders', topic_id: topicId, partition: 0, log_start: 0, end: 5 }]
  await writePoint(other, { atMs: 1_700_000_000_000, groupsKey: '@groups/2023.avro', partitions })
  other.close()
  const { exit, json, stderr } = await runCommand(['backup-info', at])
  assert.equal(exit, 0, stderr)
  const { points } = json['restorationPoints'] as { points: { atMs: number }[] }
  assert.deepEqual([json['result'], json['topics'], points.map(({ atMs }) => atMs)], ['ok', [], [1_700_000_000_000]])
  const { stdout } = await runCli(['backup-info', at])
  assert.match(stdout, /^1 restoration points\nthere is no file of a topic: maxbrod backup makes them$/m)
  assert.equal((await runCommand(['ls', at])).exit, 10)
  await rm(early, { recursive: true })
})

test('ls --points names a point that cannot be read, with exit code 3, and lists the others', async () => {
  const damaged = '@points/2023-11-14T22-13-20.002Z.avro'
  await store.put(damaged, bodyOf('no point'), {})
  const { exit, json } = await runCommand(['ls', storage, '--points'])
  assert.deepEqual([exit, json['total'], (json['points'] as unknown[]).length], [3, 3, 2])
  assert.deepEqual(
    (json['unreadable'] as { key: string }[]).map(({ key }) => key),
    [damaged],
  )
  const { stdout } = await runCli(['ls', storage, '--points'])
  assert.ok(stdout.includes(`${damaged}: `), stdout)
  await store.delete(damaged)
})

test('a selection without a file ends with exit code 10, and says what there is', async () => {
  const nothing = await runCommand(['ls', storage, '--topics=payments'])
  assert.equal(nothing.exit, 10)
  assert.match(nothing.stderr, /--topics matches none of the 3 topics .* the backup holds old, orders, users/)
  for (const [what, message] of [
    ['payments', /payments matches none of the 3 topics/],
    ['orders/1', /orders has no partition 1/],
    ['order', /order matches none/],
  ] as const) {
    const { exit, stderr } = await runCommand(['describe', storage, what])
    assert.equal(exit, 10, what)
    assert.match(stderr, message)
  }
})

test('describe shows a topic with its configs, incarnations, partitions and declared gaps', async () => {
  const { exit, json } = await runCommand(['describe', storage, 'orders'])
  assert.equal(exit, 0)
  const { definition, incarnations } = json as unknown as {
    definition: { configs: object }
    incarnations: { folder: string; chains: Record<string, unknown>[] }[]
  }
  assert.deepEqual(definition.configs, { 'retention.ms': '3600000' })
  const spans = incarnations.map(({ folder, chains }) => [
    folder,
    ...chains.map(one => [one['partition'], one['from'], one['to'], one['files'], one['records']].join(' ')),
  ])
  assert.deepEqual(spans, [
    ['orders', '0 0 20 2 14', '2 7 9 1 0'],
    [`orders@${topicId}`, '0 0 4 1 4'],
  ])
  const { stdout } = await runCli(['describe', storage, 'orders'])
  assert.match(
    stdout,
    /^orders: 3 partitions, 2 replicas\n {2}retention\.ms=3600000\n {2}cleanup\.policy=compact, as its cluster does by default$/m,
  )
  assert.match(stdout, /partition 0: no records for offsets 14 to 17 \(retention\)/)
})

test('describe names definitions that cannot be read, with exit code 3, and shows the files', async () => {
  const damaged = '@topics/2023-11-14T22-13-21.000Z.avro'
  await store.put(damaged, bodyOf('no definitions'), {})
  const { exit, json } = await runCommand(['describe', storage, 'orders'])
  await store.delete(damaged)
  assert.deepEqual([exit, (json['incarnations'] as unknown[]).length], [3, 2])
  assert.equal((json['unreadable'] as { key: string }).key, damaged)
})

test('describe shows a partition with every file', async () => {
  const { json } = await runCommand(['describe', storage, 'orders/0'])
  const { incarnations } = json as unknown as { incarnations: { chains: { list: Record<string, unknown>[] }[] }[] }
  const [first] = incarnations
  assert.deepEqual(
    first?.chains.map(({ list }) => list.map(one => [one['key'], one['from'], one['to'], one['records']])),
    [files.slice(0, 2).map(({ key, covers, records }) => [key, covers.from, covers.to, records])],
  )
})

test('a file that cannot be read is named by ls and describe, with exit code 3, and hides no other', async () => {
  const broken = await mkdtemp(join(tmpdir(), 'maxbrod-look-'))
  const other = openDirectoryStore(broken)
  const cut = (file: Buffer) => file.subarray(0, 40)
  await putTile(other, place('orders', 0), { from: 0, to: 5 }, [plainRecords(5, 0)])
  const { key } = await putTile(other, place('orders', 0), { from: 5, to: 9 }, [plainRecords(3, 5)], cut)
  for (const argv of [['ls'], ['describe', 'orders']]) {
    const { exit, stdout } = await runCli([...argv, '--storage', String(pathToFileURL(broken))])
    assert.equal(exit, 3)
    assert.ok(stdout.includes(`${key}: the file ends inside its header`), stdout)
    assert.match(stdout, / 2 +\? /)
  }
  other.close()
  await rm(broken, { recursive: true })
})

const second = () => files[1]!.key

test('inspect prints header and records of a key, one line of JSON each', async () => {
  const { exit, stdout } = await runCli(['inspect', storage, second(), '--offset', '11'])
  assert.equal(exit, 0)
  const [header, ...records] = lines(stdout)
  const { topic, partition, coversFrom, coversTo, records: count, gaps } = header!['header'] as Record<string, unknown>
  assert.deepEqual([topic, partition, coversFrom, coversTo, count], ['orders', 0, 5, 20, 9])
  assert.deepEqual(gaps, [{ from: 14, to: 18, reason: 'retention' }])
  const [eleven] = plainRecords(1, 11)
  assert.deepEqual(records, [
    { offset: 11, timestamp: 1_700_000_000_006, key: 'k6', value: eleven?.value?.toString(), headers: [] },
    { offset: 12, timestamp: 1_700_000_000_007, key: 'k7', value: '\f'.repeat(8), headers: [] },
    {
      offset: 13,
      timestamp: String(2n ** 63n - 1n),
      key: { base64: '/wA=' },
      value: null,
      headers: [
        ['h', null],
        ['h', 'žluť'],
        ['__proto__', { base64: 'gA==' }],
      ],
    },
  ])
})

test('inspect reads a copy that lies anywhere, under any name, without a store', async () => {
  const read = await store.get(second())
  const copy = join(base, 'any name')
  await writeFile(copy, Buffer.concat(await Array.fromAsync(read.body)))
  const { exit, stdout } = await runCli(['inspect', '--limit=2', '--bytes=base64', copy])
  assert.equal(exit, 0)
  const [, ...records] = lines(stdout)
  assert.deepEqual(
    records.map(({ offset, key }) => [offset, key]),
    [
      [5, { base64: 'azA=' }],
      [6, { base64: 'azE=' }],
    ],
  )
  const keep = await store.get('old/4/old-4-0000000000000000040.avro')
  await writeFile(copy, Buffer.concat(await Array.fromAsync(keep.body)))
  const old = await runCommand(['inspect', copy])
  const [first, ...others] = old.json['lines'] as Record<string, unknown>[]
  assert.equal((first!['header'] as { kind: string }).kind, 'kafka-data-keep')
  assert.deepEqual(
    others.map(({ offset, headers }) => [offset, headers]),
    [40, 41, 42, 43].map(offset => [offset, [['a', 'b']]]),
  )
  await rm(copy)
})

test('inspect says whether the file was proved: only when it was read to its end', async () => {
  assert.equal((await runCommand(['inspect', storage, second()])).json['isProven'], true)
  assert.equal((await runCommand(['inspect', storage, second(), '--limit=8'])).json['isProven'], false)
  assert.equal((await runCommand(['inspect', storage, second(), '--limit=9'])).json['isProven'], true)
})

test('inspect of a damaged file prints what is sound before, and ends with exit code 4', async () => {
  const read = await store.get(second())
  const bytes = Buffer.concat(await Array.fromAsync(read.body))
  const copy = join(base, 'damaged')
  await writeFile(copy, bytes.subarray(0, files[1]!.blockStarts[1]! + 3))
  const { exit, stdout, stderr } = await runCli(['inspect', copy])
  assert.equal(exit, 4)
  assert.match(stderr, /OBJECT_CORRUPT/)
  assert.equal((lines(stdout)[0]!['header'] as { records: number }).records, 9)
  await rm(copy)
})

test('inspect without a file, or with one that is not there, ends with exit code 2 and a hint', async () => {
  const none = await runCommand(['inspect'])
  assert.equal(none.exit, 2)
  const missing = await runCommand(['inspect', join(base, 'nowhere.avro')])
  assert.equal(missing.exit, 2)
  assert.match(missing.stderr, /there is no file .* a key of the backup needs --storage/)
  assert.equal((await runCommand(['inspect', storage, 'orders/0/orders-0-0000000000000000001.avro'])).exit, 4)
})

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}
