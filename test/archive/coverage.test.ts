import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { coverArchive } from '../../src/archive/coverage.ts'
import type { Coverage } from '../../src/archive/coverage.ts'
import { coverageOptions } from '../../src/archive/coverage-options.ts'
import type { LivePartition } from '../../src/archive/live.ts'
import { strip } from '../../src/archive/strip.ts'
import { writeGroups } from '../../src/catalog/group-snapshots.ts'
import { claimTopicFolder } from '../../src/catalog/incarnation.ts'
import { writePrune } from '../../src/catalog/prunes.ts'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { encodeCommitNote } from '../../src/format/commit-note.ts'
import type { CommitNote } from '../../src/format/commit-note.ts'
import { pointKey } from '../../src/format/system-keys.ts'
import type { PointPartition } from '../../src/format/snapshot/restoration-point.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { runCommand } from '../helpers/in-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { optionsOf } from '../helpers/options.ts'
import { storeOf, wholeFile } from '../helpers/sound-archive.ts'
import type { StoredObject } from '../helpers/sound-archive.ts'
import { archiveDeps } from '../helpers/verifying.ts'

const place = { topic: 'a', topicId: undefined, partition: 0, lineage: undefined }
const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
const minute = 60_000

let files: StoredObject[]

before(async () => {
  files = await Promise.all([0, 20, 40].map(from => wholeFile(place, from, from + 20)))
})

test('offsets are FOUND, a declared GAP, or LOST: a hole and a damaged file fail, a missing head warns', async () => {
  const gap = await wholeFile(place, 20, 60, { gaps: [{ from: 58, to: 59, reason: 'retention' }] })
  const damaged = { ...files[1]!, bytes: files[1]!.bytes.subarray(0, 50) }
  const cut = { ...files[1]!, bytes: files[1]!.bytes.subarray(0, -1) }
  for (const [objects, status, segments] of [
    [files, 'OK', ['FOUND 0 60']],
    [[files[0]!, gap], 'WARNING', ['FOUND 0 58', 'GAP 58 59', 'FOUND 59 60']],
    [[files[1]!, files[2]!], 'WARNING', ['LOST 0 20', 'FOUND 20 60']],
    [[files[0]!, files[2]!], 'FAILURE', ['FOUND 0 20', 'LOST 20 40', 'FOUND 40 60']],
    [[files[0]!, damaged, files[2]!], 'FAILURE', ['FOUND 0 20', 'LOST 20 40', 'FOUND 40 60']],
    [[files[0]!, cut, files[2]!], 'FAILURE', ['FOUND 0 20', 'LOST 20 40', 'FOUND 40 60']],
    [[files[0]!, cut], 'FAILURE', ['FOUND 0 20', 'LOST 20 40']],
  ] as const) {
    const found = await covering(await storeOf(objects))
    assert.deepEqual([found.status, shown(found)], [status, [segments]])
  }
})

test('a later history counts from where it begins, and what the earlier one does not reach is LOST', async () => {
  const later = await wholeFile({ ...place, lineage: 7 }, 50, 70, { origin: 50 })
  assert.deepEqual(shown(await covering(await storeOf([...files, later]))), [['FOUND 0 70']])
  const short = await covering(await storeOf([...files.slice(0, 2), later]))
  assert.deepEqual([short.status, shown(short)], ['FAILURE', [['FOUND 0 40', 'LOST 40 50', 'FOUND 50 70']]])
})

test('what a restoration point knows and no file has is LATE, and a warning once that is due', async () => {
  const store = await storeOf(files)
  const now = Date.now()
  const at = (agoMs: number, ends: readonly number[]) =>
    writePoint(store, {
      atMs: now - agoMs,
      groupsKey: undefined,
      partitions: [
        ...ends.map((end, partition) => ({ topic: 'a', topic_id: topicId, partition, log_start: 3, end })),
        { topic: 'a', topic_id: 'AAAAAAAAQACAAAAAAAAAAQ', partition: 0, log_start: 0, end: 999 },
        { topic: 'unsaved', topic_id: 'AAAAAAAAQACAAAAAAAAAAQ', partition: 0, log_start: 0, end: 9 },
      ],
    })
  await at(20 * minute, [60])
  await at(minute, [75, 10])
  const found = await covering(store)
  assert.deepEqual(shown(found), [['FOUND 0 60', 'LATE 60 75'], ['LATE 3 10']])
  assert.deepEqual([found.status, found.withoutFiles, found.pointAtMs], ['OK', ['a', 'unsaved'], now - minute])
  const hasty = await covering(store, '--late-after=1s')
  assert.deepEqual([hasty.status, hasty.partitions.map(({ status }) => status)], ['WARNING', ['WARNING', 'WARNING']])
})

test('the newest restoration point is late at a week, which is a warning, unless Kafka says that nothing has changed since', async () => {
  const day = 24 * 60 * minute
  const end = 60
  const at = { logStart: 0, end, dueTo: 0, seconds: undefined, headroomSeconds: undefined, stopped: undefined }
  const verdict = ({ status, isPointLate, partitions }: Coverage) => [status, isPointLate, partitions[0]!.status]
  const store = await storeOf(files)
  assert.deepEqual(verdict(await covering(store)), ['OK', false, 'OK'])
  await pointOf(store, (8 * day) / minute, [{ topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end }])
  assert.deepEqual(verdict(await covering(store)), ['WARNING', true, 'OK'])
  assert.deepEqual(verdict(await covering(store, '--point-late-after=9d')), ['OK', false, 'OK'])
  assert.deepEqual(verdict(await withKafka(store, new Map([[0, at]]))), ['OK', false, 'OK'])
  const more = new Map([[0, { ...at, end: 61 }]])
  assert.deepEqual(verdict(await withKafka(store, more)), ['WARNING', true, 'OK'])
  const wider = new Map([0, 1].map(partition => [partition, { ...at, end: partition === 0 ? end : 0 }]))
  assert.deepEqual(verdict(await withKafka(store, wider)), ['WARNING', true, 'OK'])
  assert.deepEqual(verdict(await withKafka(store, new Map())), ['WARNING', true, 'OK'])
  await pointOf(store, 1, [{ topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end }])
  assert.deepEqual(verdict(await covering(store)), ['OK', false, 'OK'])
})

test('what Kafka no longer has and no file does is LOST: a failure once no worker can hold it any more', async () => {
  for (const [dueStart, status, lost] of [
    [3, 'WARNING', ['LOST 60 80']],
    [70, 'FAILURE', ['LOST 60 70', 'LOST 70 80']],
    [80, 'FAILURE', ['LOST 60 80']],
  ] as const) {
    const store = await storeOf(files)
    await pointOf(store, 20, [
      { topic: 'a', topic_id: topicId, partition: 0, log_start: dueStart, end: Math.max(60, dueStart) },
    ])
    await pointOf(store, 1, [{ topic: 'a', topic_id: topicId, partition: 0, log_start: 80, end: 100 }])
    const found = await covering(store)
    assert.deepEqual([found.status, shown(found)], [status, [['FOUND 0 60', ...lost, 'LATE 80 100']]])
  }
})

test('a topic that was deleted in Kafka before its end was in files has lost that', async () => {
  const store = await storeOf(files)
  await pointOf(store, 20, [
    { topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end: 75 },
    { topic: 'a', topic_id: topicId, partition: 1, log_start: 5, end: 9 },
    { topic: 'unsaved', topic_id: topicId, partition: 0, log_start: 0, end: 9 },
  ])
  await pointOf(store, 1, [])
  const found = await covering(store)
  assert.deepEqual(shown(found), [['FOUND 0 60', 'LOST 60 75'], ['LOST 5 9']])
  assert.deepEqual([found.status, found.withoutFiles], ['FAILURE', []])
})

test('a topic of the backup whose folder is gone is LOST, and one that has just begun is not', async () => {
  const store = await storeOf(files)
  const other = 'AAAAAAAAQACAAAAAAAAAAQ'
  for (const topic of ['gone', 'again']) await claimTopicFolder(store, topic, topicId)
  const partitions = (end: number) => [
    { topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end: 60 },
    { topic: 'gone', topic_id: topicId, partition: 0, log_start: 7, end },
    { topic: 'again', topic_id: other, partition: 0, log_start: 0, end },
    { topic: 'unsaved', topic_id: other, partition: 0, log_start: 0, end },
  ]
  await pointOf(store, 20, partitions(20))
  await pointOf(store, 1, partitions(30))
  const begun = await covering(store)
  assert.deepEqual([begun.status, begun.withoutFiles], ['OK', ['gone', 'again', 'unsaved']])
  const later = await covering(store, '--late-after=0ms')
  assert.deepEqual([later.status, later.withoutFiles], ['FAILURE', ['again', 'unsaved']])
  assert.deepEqual(shown(later), [['FOUND 0 60'], ['LOST 7 30']])
})

test('a partition that has no file and had some, as commits of the workers prove, is LOST; what proves nothing is left as it is', async () => {
  const note = { archiveId: 'archive', topicId, lineage: undefined, lastFrom: 30, origin: 5 }
  const verdict = async (
    change: Partial<CommitNote>,
    { offset = 40, prunedTo = 0, partition = 1 }: { offset?: number; prunedTo?: number; partition?: number } = {},
  ) => {
    const store = await storeOf(files)
    const metadata = encodeCommitNote({ ...note, ...change })
    const topics = [{ topic: 'a', topic_id: topicId, partitions: [{ partition, offset, leader_epoch: 1, metadata }] }]
    await writeGroups(store, [{ group_id: 'g', type: null, state: null, topics }], Date.now() - minute)
    await pointOf(store, 1, [{ topic: 'a', topic_id: topicId, partition: 1, log_start: 20, end: 50 }])
    const range = { from: 5, to: prunedTo, files: 1, records: 1, bytes: 1 }
    const pruned = { place: { ...place, partition: 1 }, ...range }
    if (prunedTo > 0) await writePrune(store, { writer: 'w', partitions: [pruned], objects: [] }, Date.now() - minute)
    const found = await covering(store)
    return [found.status, ...shown(found).slice(1)]
  }
  assert.deepEqual(await verdict({}), ['FAILURE', ['LOST 5 40', 'LATE 40 50']])
  assert.deepEqual(await verdict({}, { prunedTo: 30 }), ['FAILURE', ['LOST 30 40', 'LATE 40 50']])
  const asBefore = ['OK', ['LATE 20 50']]
  for (const change of [{ lastFrom: undefined }, { archiveId: 'other' }, { topicId: 'AAAAAAAAQACAAAAAAAAAAQ' }])
    assert.deepEqual(await verdict(change), asBefore, JSON.stringify(change))
  assert.deepEqual(await verdict({}, { prunedTo: 40 }), asBefore)
  // Of a partition that has files, commits say nothing: its last files may be too young for the look.
  assert.deepEqual(await verdict({}, { offset: 99, partition: 0 }), asBefore)
})

test('a restoration point that cannot be read is named, and the one before it tells', async () => {
  const store = await storeOf(files)
  await pointOf(store, 20, [{ topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end: 60 }])
  const damaged = pointKey(Date.now() - minute)
  await store.put(damaged, bodyOf(Buffer.from('no point')), {})
  const found = await covering(store)
  assert.equal(found.status, 'WARNING')
  assert.deepEqual(
    [found.partitions.map(({ status }) => status), found.unreadable.map(({ key }) => key)],
    [['OK'], [damaged]],
  )
})

test('the strip shows whatever is missing, however little it is', () => {
  const segment = (kind: 'FOUND' | 'GAP' | 'LATE' | 'LOST', from: number, to: number) => ({
    kind,
    from,
    to,
    reason: '',
  })
  const line = strip([
    segment('FOUND', 0, 500_000),
    segment('LOST', 500_000, 500_001),
    segment('FOUND', 500_001, 1_000_000),
  ])
  assert.equal(line, `${'█'.repeat(20)}×${'█'.repeat(19)}`)
  assert.equal(strip([segment('FOUND', 0, 20), segment('LATE', 20, 40)]), `${'█'.repeat(20)}${'▒'.repeat(20)}`)
  assert.equal(strip([segment('GAP', 7, 8)]), '░'.repeat(40))
  assert.equal(strip([]), '')
})

let folder: string

before(async () => void (folder = await mkdtemp(join(tmpdir(), 'maxbrod-coverage-'))))
after(() => rm(folder, { recursive: true }))

test('coverage ends with exit code 4 on FAILURE only, and prints strip and ranges', async () => {
  for (const [objects, exit, status] of [
    [[files[0]!, files[2]!], 4, 'FAILURE'],
    [[files[1]!, files[2]!], 0, 'WARNING'],
  ] as const) {
    const bucket = join(folder, status)
    const store = await storeOf(objects, openDirectoryStore(bucket))
    store.close()
    const result = await runCommand(['coverage', '--storage', String(pathToFileURL(bucket))])
    assert.deepEqual([result.exit, result.json['status']], [exit, status])
  }
  const bucket = join(folder, 'late')
  const store = await storeOf(files, openDirectoryStore(bucket))
  await pointOf(store, 90 * 24 * 60, [{ topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end: 60 }])
  store.close()
  const { exit, json } = await runCommand(['coverage', '--storage', String(pathToFileURL(bucket))])
  assert.deepEqual([exit, json['status'], json['isPointLate']], [0, 'WARNING', true])
})

function pointOf(store: ObjectStore, minutesAgo: number, partitions: readonly PointPartition[]): Promise<string> {
  return writePoint(store, { atMs: Date.now() - minutesAgo * minute, groupsKey: undefined, partitions })
}

test('what Kafka has now and no file does is UPLOADING while a worker is at work, LATE once it is due or nobody is, LOST when it is gone', async () => {
  const at = { logStart: 0, end: 100, dueTo: 0, seconds: 5, headroomSeconds: 70, stopped: undefined }
  const nobody = 'nobody is at work'
  for (const [live, status, segments] of [
    [at, 'OK', ['UPLOADING 60 100']],
    [{ ...at, dueTo: 75 }, 'WARNING', ['LATE 60 75', 'UPLOADING 75 100']],
    [{ ...at, dueTo: 300 }, 'WARNING', ['LATE 60 100']],
    [{ ...at, stopped: nobody }, 'WARNING', ['LATE 60 100']],
    [{ ...at, logStart: 80 }, 'WARNING', ['LOST 60 80', 'UPLOADING 80 100']],
    [{ ...at, logStart: 80, stopped: nobody }, 'FAILURE', ['LOST 60 80', 'LATE 80 100']],
    [{ ...at, logStart: 100, stopped: nobody }, 'FAILURE', ['LOST 60 100']],
    [{ ...at, end: 60 }, 'OK', []],
    [{ ...at, end: 40 }, 'OK', []],
  ] as const) {
    const found = await withKafka(await storeOf(files), new Map([[0, live]]))
    assert.deepEqual([found.status, shown(found)], [status, [['FOUND 0 60', ...segments]]], JSON.stringify(live))
    assert.equal(found.partitions[0]!.kafka!.unprotected, Math.max(0, live.end - Math.max(60, live.logStart)))
  }
  const fresh = await withKafka(await storeOf(files), new Map([[1, { ...at, logStart: 5 }]]))
  assert.deepEqual([fresh.status, shown(fresh)], ['OK', [['FOUND 0 60'], ['UPLOADING 5 100']]])
})

test('where Kafka is asked, it is asked about the incarnation that the files are of, and a point adds nothing that is late', async () => {
  const store = await storeOf(files)
  await pointOf(store, 20, [{ topic: 'a', topic_id: topicId, partition: 0, log_start: 0, end: 70 }])
  const live = { logStart: 0, end: 65, dueTo: 0, seconds: 5, headroomSeconds: undefined, stopped: undefined }
  const found = await withKafka(store, new Map([[0, live]]))
  assert.deepEqual([found.status, shown(found)], ['OK', [['FOUND 0 60', 'UPLOADING 60 65']]])
})

/** As Kafka has the one topic now. */
function withKafka(store: ObjectStore, live: ReadonlyMap<number, LivePartition>): Promise<Coverage> {
  const { signal } = new AbortController()
  return coverArchive(archiveDeps(store), optionsOf(coverageOptions), signal, asked => {
    assert.deepEqual(asked, [{ topic: 'a', topicId, ends: new Map([[0, 60]]) }])
    return Promise.resolve(new Map(asked.map(one => [one, live])))
  })
}

function covering(store: ObjectStore, ...argv: string[]): Promise<Coverage> {
  return coverArchive(archiveDeps(store), optionsOf(coverageOptions, ...argv), new AbortController().signal)
}

function shown({ partitions }: Coverage): string[][] {
  return partitions.map(({ segments }) => segments.map(({ kind, from, to }) => `${kind} ${from} ${to}`))
}
