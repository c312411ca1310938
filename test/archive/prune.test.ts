import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { keepReport } from '../../src/archive/report/keep-report.ts'
import { oldReports } from '../../src/archive/prune/reports.ts'
import { writeSeal } from '../../src/catalog/generations.ts'
import { writeGroups } from '../../src/catalog/group-snapshots.ts'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import { tileFactsToMap } from '../../src/format/facts.ts'
import { generationName, tileKey } from '../../src/format/keys.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import {
  beginnings,
  dayMs,
  emptyArchive,
  firstId,
  placeOf,
  pruning,
  pruningAt,
  putAged,
  putPoint,
} from '../helpers/aged-archive.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { checkAsync } from '../helpers/properties.ts'
import { putTile } from '../helpers/put-tile.ts'
import { clusterId, storeOf } from '../helpers/sound-archive.ts'
import { storedPrunes } from '../helpers/stored-prunes.ts'
import { verifying } from '../helpers/verifying.ts'

const laterId = 'AAAAAAAAQACAAAAAAAAAAQ'

async function keysIn(store: ErasableStore, prefix = ''): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key)
}

async function assertSound(store: ErasableStore): Promise<void> {
  const { findings } = await verifying(store)
  assert.deepEqual(
    findings.map(({ says }) => says),
    [],
  )
}

test('without --yes nothing is changed, and what would go is told; with it, that goes', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('orders'), [50, 40, 31, 20, 1])
  await putAged(store, placeOf('orders', 1), [2, 1])
  const before = await keysIn(store)
  const dry = await pruning(store, '--keep=30d')
  assert.deepEqual(await keysIn(store), before)
  const [told] = dry.topics
  const [first, second] = told!.partitions
  const { files, records, from, to } = first!.old[0]!.range
  assert.deepEqual([files, records, from, to], [3, 24, 0, 30])
  assert.match(first!.kept?.why ?? '', /newer than 30d/)
  assert.deepEqual([second!.old, second!.kept?.files], [[], 2])
  assert.deepEqual([dry.record, dry.deletion], [undefined, undefined])

  const done = await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual(done.deletion, { deleted: 3, refused: [], left: 0 })
  assert.deepEqual(await beginnings(store), { 'orders/0': [30, 40], 'orders/1': [0, 10] })
  assert.deepEqual(
    (await storedPrunes(store)).map(({ key, partitions }) => [
      key,
      partitions.map(({ from: one, to: end, files: n }) => [one, end, n]),
    ]),
    [[done.record, [[0, 30, 3]]]],
  )
  await assertSound(store)
  const again = await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual([again.record, again.deletion?.deleted, again.leftovers], [undefined, 0, 0])
})

test('the newest file of a partition stays however old it is, and the oldest go first: a younger one before them keeps them', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('quiet'), [90])
  await putAged(store, placeOf('odd'), [90, 5, 80, 70, 60])
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual(await beginnings(store), { 'quiet/0': [0], 'odd/0': [10, 20, 30, 40] })
})

test('with --keep-bytes the newest bytes of each partition stay; with both, a file goes only when neither keeps it', async () => {
  const sizes = async (...argv: string[]) => {
    const store = await emptyArchive()
    const keys = await putAged(store, placeOf('a'), [50, 40, 30, 20, 10])
    const bytes = (await store.head(keys[0]!))!.bytes
    await pruning(store, ...argv.map(one => one.replace('SIZE', String(2 * bytes))), '--yes')
    return (await beginnings(store))['a/0']
  }
  assert.deepEqual(await sizes('--keep-bytes=SIZE'), [30, 40])
  assert.deepEqual(await sizes('--keep-bytes=SIZE', '--keep=25d'), [30, 40])
  assert.deepEqual(await sizes('--keep-bytes=SIZE', '--keep=45d'), [10, 20, 30, 40])
  assert.deepEqual(await sizes('--keep-bytes=SIZE', '--keep=5d'), [30, 40])
})

test('with --keep as-source each topic keeps what Kafka keeps of it; compacted topics keep everything', async () => {
  const store = await emptyArchive()
  for (const topic of ['short', 'long', 'compacted', 'unsaved']) await putAged(store, placeOf(topic), [50, 40, 1])
  const of = (topic: string, configs: Record<string, string>) => ({
    topic,
    topic_id: firstId,
    partitions: 1,
    replication_factor: 1,
    configs,
    acls: [],
    clusterPolicy: 'delete',
  })
  await writeDefinitions(
    store,
    [
      of('short', { 'retention.ms': String(2 * dayMs) }),
      of('long', { 'retention.ms': String(45 * dayMs) }),
      of('compacted', { 'cleanup.policy': 'compact', 'retention.ms': '1000' }),
      of('unsaved', {}),
    ],
    Date.now() - 99 * dayMs,
  )
  const { topics } = await pruning(store, '--keep=as-source', '--yes')
  assert.deepEqual(await beginnings(store), {
    'short/0': [20],
    'long/0': [10, 20],
    'compacted/0': [0, 10, 20],
    'unsaved/0': [0, 10, 20],
  })
  const why = topics.map(({ folder, partitions }) => `${folder.name}: ${partitions[0]?.kept?.why}`)
  assert.match(why.join('\n'), /compacted: it is compacted/)
  assert.match(why.join('\n'), /unsaved: no retention of its own was saved/)
})

test('all that Kafka had at the newest restoration points stays, whatever the rules say', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 30, 20, 10])
  await putAged(store, placeOf('b'), [50, 40, 30, 20, 10])
  await putPoint(store, 40, [['a', 0, 0, 20]])
  await putPoint(store, 2, [['a', 0, 25, 50]])
  await putPoint(store, 0.01, [['a', 0, 35, 50]])
  const { topics } = await pruning(store, '--keep=1d', '--keep-points=1', '--yes')
  // The newest point, and the newest that is older than a day: offset 25 lies in the third file.
  assert.deepEqual((await beginnings(store))['a/0'], [20, 30, 40])
  assert.match(topics[0]?.partitions[0]?.kept?.why ?? '', /restoration point/)
  // No point knows b: it was deleted, or is hidden from who makes the points. Its newest file stays.
  assert.deepEqual((await beginnings(store))['b/0'], [40])
  await assertSound(store)
})

test('points that cannot be read are passed over for older ones; when none is left, nothing goes', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 35, 1])
  const newest = await putPoint(store, 0.1, [['a', 0, 30, 40]])
  const older = await putPoint(store, 0.2, [['a', 0, 10, 40]])
  const damage = async (key: string) => {
    const { facts } = (await store.head(key))!
    await store.delete(key)
    await store.put(key, bodyOf('damaged'), facts)
  }
  await damage(newest)
  await pruning(store, '--keep=30d', '--yes', '--keep-points=1')
  assert.deepEqual(await beginnings(store), { 'a/0': [10, 20, 30] })
  await damage(older)
  await assert.rejects(pruning(store, '--keep=30d', '--yes'), {
    code: 'OBJECT_CORRUPT',
    message: /no restoration point/,
  })
  assert.deepEqual(await beginnings(store), { 'a/0': [10, 20, 30] })
})

test('of a topic that was created again the older incarnation goes altogether, and the newer one keeps its newest file', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('again'), [90, 80])
  await putAged(store, placeOf('again', 0, { topicId: laterId }), [70, 60])
  await putPoint(store, 0, [['again', 0, 20, 20, laterId]])
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual(await beginnings(store), { [`again@${laterId}/0`]: [10] })
  await assertSound(store)
})

test('points from before a topic was created again do not say that the newer one is gone', async () => {
  const store = await emptyArchive()
  await putPoint(store, 65, [['again', 0, 20, 20]])
  await putAged(store, placeOf('again'), [90, 80])
  await putAged(store, placeOf('again', 0, { topicId: laterId }), [60, 50])
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual((await beginnings(store))[`again@${laterId}/0`], [10])
})

test('a topic that was compacted keeps everything when another one has its name, and each has the retention of its own', async () => {
  const of = (topic: string, topicId: string, configs: Record<string, string>) => ({
    topic,
    topic_id: topicId,
    partitions: 1,
    replication_factor: 1,
    configs,
    acls: [],
    clusterPolicy: 'delete',
  })
  const store = await emptyArchive()
  for (const topic of ['users', 'orders']) {
    await putAged(store, placeOf(topic), [90, 80])
    await putAged(store, placeOf(topic, 0, { topicId: laterId }), [70, 60])
  }
  const [long, short] = [100, 1].map(days => ({ 'retention.ms': String(days * dayMs) }))
  const before = [of('users', firstId, { 'cleanup.policy': 'compact' }), of('orders', firstId, long!)]
  await writeDefinitions(store, before, Date.now() - 89 * dayMs)
  const now = [of('users', laterId, short!), of('orders', laterId, short!)]
  await writeDefinitions(store, now, Date.now() - 75 * dayMs)
  const point = ['users', 'orders'].map(topic => [topic, 0, 20, 20, laterId] as const)
  await putPoint(store, 0.1, point)
  await pruning(store, '--keep=as-source', '--yes')
  const left = { [`users@${laterId}/0`]: [10], [`orders@${laterId}/0`]: [10], 'users/0': [0, 10], 'orders/0': [0, 10] }
  assert.deepEqual(await beginnings(store), left)
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual((await beginnings(store))['users/0'], [0, 10])
})

test('of the histories of a partition the later one loses nothing while an earlier one has a file left', async () => {
  const files = async (first: number[], later: number[]) => {
    const store = await emptyArchive()
    await putAged(store, placeOf('a'), first)
    await putAged(store, placeOf('a', 0, { lineage: 7 }), later, 15, { origin: 15 })
    await pruning(store, '--keep=30d', '--yes')
    await assertSound(store)
    return beginnings(store)
  }
  assert.deepEqual(await files([90, 80], [70, 60, 50]), { 'a/0@e7': [35] })
  assert.deepEqual(await files([90, 5], [70, 60, 50]), { 'a/0': [10], 'a/0@e7': [15, 25, 35] })
  assert.deepEqual(await files([90, 80], [70, 5, 50]), { 'a/0@e7': [25, 35] })
})

test('points, group snapshots, definitions and reports go when no file needs them any more, the newest never', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 30, 20, 10])
  await putAged(store, placeOf('gone'), [60])
  const atMs = (days: number) => Math.round(Date.now() - days * dayMs)
  const definition = (topic: string) => ({
    topic,
    topic_id: firstId,
    partitions: 1,
    replication_factor: 1,
    configs: {},
    acls: [],
    clusterPolicy: 'delete',
  })
  const page = '<!doctype html>\n</html>\n'
  for (const [n, days] of [60, 45, 35, 15, 0.1].entries()) {
    const group = { group_id: 'g', type: 'classic', state: 'Empty', topics: [] }
    const groups = await writeGroups(store, [group], atMs(days))
    await putPoint(store, days, [['a', 0, 0, n * 10 + 5]], groups)
    await keepReport(store, atMs(days) + 60_000, page, new AbortController().signal)
    await writeDefinitions(store, [definition('a'), ...(n < 2 ? [definition('gone')] : [])], atMs(days))
  }
  // Nothing is needed by log starts at the kept points: they are let go up to the newest.
  await store.deleteAll(await keysIn(store, '@points/'))
  for (const [n, days] of [60, 45, 35, 15, 0.1].entries())
    await putPoint(
      store,
      days,
      [
        ['a', 0, n * 10, n * 10 + 5],
        ['gone', 0, 0, 10],
      ],
      (await keysIn(store, '@groups/'))[n],
    )
  const rules = ['--keep=25d', '--keep-points=1', '--yes']
  const done = await pruning(store, ...rules)
  // 15 days ago the log began at 30: the files from there on stay. Points older than every rule go, with all from before them.
  assert.deepEqual((await beginnings(store))['a/0'], [30, 40])
  assert.deepEqual([done.points.length, done.groups.length, done.definitions.length, done.reports.length], [3, 3, 1, 3])
  assert.equal((await keysIn(store, '@report/')).length, 2)
  // The last definition of `gone` stands in the second object, and its file is there.
  assert.deepEqual((await keysIn(store, '@topics/2')).length, 4)
  assert.equal((await keysIn(store, '@points/')).length, 2)
  assert.equal((await keysIn(store, '@groups/')).length, 2)
  await assertSound(store)
  const again = await pruning(store, ...rules)
  assert.deepEqual([again.record, again.deletion?.deleted], [undefined, 0])
})

test('reports are told from what else lies beside them, and the newest stays however old it is', async () => {
  const store = newMemoryStore()
  const { signal } = new AbortController()
  for (const n of [1, 2, 3]) await keepReport(store, n * dayMs, `page ${n}`, signal)
  await store.put('@report/notes.html', bodyOf('a note'), {})
  const keysBefore = async (ms: number) => (await oldReports(store, ms, signal)).map(({ atMs }) => atMs / dayMs)
  assert.deepEqual(await keysBefore(2 * dayMs), [1])
  assert.deepEqual(await keysBefore(Infinity), [1, 2])
  await assert.rejects(keepReport(store, dayMs, 'another page', signal), { code: 'OBJECT_CHANGED' })
  await keepReport(store, dayMs, 'page 1', signal)
})

test('files that were made of others go when all that they cover is given up, or when nobody finished them for a day', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 30, 1])
  const made = async (daysAgo: number, from: number, to: number, isSealed: boolean) => {
    const name = generationName('merged', Math.round(Date.now() - daysAgo * dayMs))
    const place = { ...placeOf('a'), generation: name }
    const sha256 = 'ab'.repeat(32)
    const generation = { name, from, to, sources: 2, sourcesSha256: sha256 }
    const { key, records, bytes } = await putTile(store, place, { from, to }, [plainRecords(3, from)], undefined, {
      generation,
    })
    const seal = {
      generation: name,
      clusterId,
      topic: 'a',
      topicId: firstId,
      partition: 0,
      lineage: undefined,
      origin: 0,
      covers: { from, to },
      files: [{ key, from, to, records, bytes, sha256 }],
      sources: [{ key: 'a/0/x', from, to, records, bytes, sha256 }],
      timestampMax: undefined,
      droppedTombstones: undefined,
    }
    return isSealed ? [key, await writeSeal(store, place, seal)] : [key]
  }
  const kept = [...(await made(20, 10, 30, true)), ...(await made(0.1, 0, 20, false))]
  const done = await made(21, 0, 20, true)
  await made(22, 20, 30, false)
  const { generations } = await pruning(store, '--keep=35d', '--yes')
  assert.deepEqual(
    generations.map(({ keys }) => keys.length),
    [1],
  )
  assert.equal(generations[0]?.first, done[1], 'the seal goes first')
  // What somebody puts is new to a store however old its name is: nobody finished it since.
  const later = await pruningAt(store, Date.now() + 1.1 * dayMs, '--keep=35d', '--yes')
  assert.equal(later.generations.length, 2)
  assert.deepEqual((await keysIn(store, '@merged/')).toSorted(), kept.slice(0, 2).toSorted())
})

test('encrypted files go by when they were stored, and by the facts beside them: prune needs no key', async () => {
  const store = await emptyArchive()
  const facts = (to: number) =>
    tileFactsToMap({ clusterId, topicId: firstId, lineage: undefined, coversTo: to, records: 7, uploadId: 'u' }, 'ab')
  for (const from of [0, 10, 20]) await store.put(tileKey(placeOf('a'), from, true), bodyOf('age'), facts(from + 10))
  assert.equal((await pruning(store, '--keep=30d', '--yes')).deletion?.deleted, 0)
  const { topics, deletion } = await pruningAt(store, Date.now() + 31 * dayMs, '--keep=30d', '--yes')
  const { to, records } = topics[0]!.partitions[0]!.old[0]!.range
  assert.deepEqual([to, records, deletion?.deleted], [20, 14, 2])
  assert.deepEqual(await beginnings(store), { 'a/0': [20] })
})

test('what is missing behind the files that go was not given up: it is told as before, and counts when it comes back', async () => {
  const store = await emptyArchive()
  const keys = await putAged(store, placeOf('a'), [50, 20, 10, 1])
  const { body, facts } = await store.get(keys[1]!)
  const lost = Buffer.concat(await Array.fromAsync(body))
  await store.delete(keys[1]!)
  await pruning(store, '--keep=30d', '--yes')
  const { findings } = await verifying(store)
  assert.deepEqual(
    findings.map(({ kind, from, to }) => [kind, from, to]),
    [['head', 10, 20]],
  )
  await store.put(keys[1]!, bodyOf(lost), facts)
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual(await beginnings(store), { 'a/0': [10, 20, 30] })
  await assertSound(store)
})

test('a damaged file is as old as it is stored, and hides nothing', async () => {
  const store = await emptyArchive()
  const [first] = await putAged(store, placeOf('a'), [50, 40, 1])
  await store.delete(first!)
  await store.put(first!, bodyOf('no file'), {})
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual((await beginnings(store))['a/0'], [0, 10, 20])
  await pruningAt(store, Date.now() + 31 * dayMs, '--keep=30d', '--yes')
  assert.deepEqual((await beginnings(store))['a/0'], [20])
})

test('a digit that flips in the record of a prune gives up no file that it did not', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 20, 10, 1])
  const { record } = await pruning(store, '--keep=30d', '--yes')
  const { body, facts } = await store.get(record!)
  const text = Buffer.concat(await Array.fromAsync(body)).toString()
  await store.delete(record!)
  await store.put(record!, bodyOf(text.replace('"to": 20', '"to": 60')), facts)
  await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual(await beginnings(store), { 'a/0': [20, 30, 40] })
})

test('what the store does not let go is named, and what lies behind it stays for its sake', async () => {
  const store = await emptyArchive()
  const keys = await putAged(store, placeOf('a'), [50, 40, 1])
  await putAged(store, placeOf('b'), [50, 40, 1])
  const locked: ErasableStore = {
    ...store,
    async deleteAll(all, signal) {
      const stay = all.filter(key => key === keys[0])
      await store.deleteAll(
        all.filter(key => !stay.includes(key)),
        signal,
      )
      return stay.map(key => ({ key, reason: 'AccessDenied: it is locked' }))
    },
  }
  const { deletion } = await pruning(locked, '--keep=30d', '--yes')
  assert.deepEqual(deletion?.refused, [{ key: keys[0], reason: 'AccessDenied: it is locked' }])
  assert.equal(deletion.deleted, 3)
  // It was given up all the same: readers begin behind it, and the next run tries again.
  await assertSound(locked)
  const later = await pruning(store, '--keep=30d', '--yes')
  assert.deepEqual([later.record, later.leftovers, later.deletion?.deleted], [undefined, 1, 1])
})

test('with --grace files are given up at once and deleted by a run that comes later', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 1])
  const rules = ['--keep=30d', '--grace=1d', '--yes']
  const now = Date.now()
  const first = await pruningAt(store, now, ...rules)
  assert.deepEqual([first.waiting, first.deletion?.deleted], [2, 0])
  assert.deepEqual((await beginnings(store))['a/0'], [0, 10, 20])
  assert.equal((await verifying(store)).leftovers, 2)
  const second = await pruningAt(store, now + dayMs - 1, ...rules)
  assert.deepEqual([second.record, second.waiting, second.deletion?.deleted], [undefined, 2, 0])
  const third = await pruningAt(store, now + dayMs, ...rules)
  assert.deepEqual([third.waiting, third.deletion?.deleted], [0, 2])
  assert.deepEqual((await beginnings(store))['a/0'], [20])
})

test('two prunes at once do no harm, and both are remembered', async () => {
  const store = await emptyArchive()
  await putAged(store, placeOf('a'), [50, 40, 30, 20, 10])
  await putAged(store, placeOf('b'), [50, 40, 30, 20, 10])
  await Promise.all([
    pruning(store, '--keep=25d', '--yes'),
    pruning(store, '--keep=35d', '--yes'),
    pruning(store, '--keep=25d', '--yes'),
  ])
  assert.deepEqual(await beginnings(store), { 'a/0': [30, 40], 'b/0': [30, 40] })
  await assertSound(store)
})

// Halves of days: no file is as old as the rule to the millisecond.
const age = fc.integer({ min: 1, max: 60 }).map(days => days + 0.5)
const ages = fc.array(age, { minLength: 1, maxLength: 7 })
const chains = fc.record({ first: ages, later: fc.option(ages, { nil: undefined }), logStart: fc.nat(70) })

test('whatever the archive: what stays is whole and nothing younger went; a prune that dies anywhere is finished by the next one', async () => {
  await checkAsync(
    fc.asyncProperty(
      fc.array(chains, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      fc.nat(20),
      fc.integer(),
      async (parts, hasPoint, dieAt, order) => {
        const build = async () => {
          const store = await storeOf([], newMemoryStore())
          for (const [n, { first, later }] of parts.entries()) {
            await putAged(store, placeOf('a', n), first)
            const origin = first.length * 10 - 5
            if (later !== undefined) await putAged(store, placeOf('a', n, { lineage: 3 }), later, origin, { origin })
          }
          if (hasPoint)
            await putPoint(
              store,
              0.1,
              parts.map(({ logStart }, n) => ['a', n, logStart, logStart + 1] as const),
            )
          return store
        }
        const [calm, killed] = [await build(), await build()]
        await pruning(calm, '--keep=30d', '--yes')
        await assertSound(calm)
        const left = await beginnings(calm)
        for (const [n, { first, later = [], logStart }] of parts.entries()) {
          const [one = [], two = []] = [left[`a/${n}`], left[`a/${n}@e3`]]
          const firstGone = first.length - one.length
          const laterGone = later.length - two.length
          assert.ok(one.length + two.length > 0, 'the newest file stays')
          assert.ok(firstGone === first.length || laterGone === 0, 'never a middle')
          assert.ok(
            first.slice(0, firstGone).every(days => days > 30),
            'only old files went',
          )
          assert.ok(later.slice(0, laterGone).every(days => days > 30))
          if (hasPoint) assert.ok(firstGone * 10 <= Math.max(logStart, 0), 'what Kafka had at the point stays')
        }
        // The same with a death after some deletes, in an order that is nobody's.
        let deletes = 0
        const dying: ErasableStore = {
          ...killed,
          async deleteAll(keys, signal) {
            const shuffled = keys.toSorted((a, b) => hash(a, order) - hash(b, order))
            for (const key of shuffled) {
              if (deletes++ === dieAt) throw new MaxbrodError('STORAGE_UNREACHABLE', 'dead')
              await killed.delete(key, signal)
            }
            return []
          },
        }
        await pruning(dying, '--keep=30d', '--yes').catch(() => undefined)
        await assertSound(killed)
        await pruning(killed, '--keep=30d', '--yes')
        assert.deepEqual(await beginnings(killed), left)
        await assertSound(killed)
      },
    ),
    20,
  )
})

function hash(text: string, seed: number): number {
  let value = seed
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 16_777_619)
  return value
}
