import assert from 'node:assert/strict'
import { mkdir, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { tileFactsToMap } from '../../src/format/facts.ts'
import { tileKey } from '../../src/format/keys.ts'
import { dataKeepFile, dataKeepKey, dataKeepRecord } from '../helpers/data-keep-files.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { runCommand } from '../helpers/in-process.ts'
import { inProcessFaults } from '../helpers/in-process-faults.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'
import { openClient } from '../helpers/kafka-client.ts'

const create = ['--create-topics', '--target-prefix=r.']

test('a hole ends the planner with exit code 4, partition and offsets; accepted by name it is planned, and told', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const files = await scene.putFiles(topic, 0, [0, 5, 9, 12])
  const other = await scene.putFiles(topic, 1, [0, 3, 6])
  await unlink(join(scene.folder, files[1]!.key))
  const refusal = await scene.plan(create)
  refused(refusal, 4, 'TILING_HOLE', `${topic}/0/ has no file for offsets 5 to 8`, `--accept-gaps ${topic}-0`)
  assert.deepEqual((refusal.json['error'] as { facts: { holes: unknown } }).facts.holes, [
    { topic, partition: 0, from: 5, to: 9 },
  ])

  refused(await scene.plan([...create, '--accept-gaps', `${topic}-1`]), 4, 'TILING_HOLE', `${topic}/0/`)
  await unlink(join(scene.folder, other[0]!.key))
  // A head that is gone is no hole between files: a bucket's own rule may have taken it.
  const planned = ok(await scene.plan([...create, '--accept-gaps', `${topic}-0`]))
  const warnings = planned.json['warnings'] as string[]
  assert.ok(warnings.some(text => text.includes(`${topic}-0: offsets 5 to 8 are missing, which was accepted`)))
  assert.ok(warnings.some(text => text.includes(`${topic}-1: offsets 0 to 2 were backed up once`)))
  assert.deepEqual(
    (await scene.files())
      .map(({ object, index, recordsBefore }) => `${object.key} ${index} ${recordsBefore}`)
      .toSorted(),
    [`${files[0]!.key} 0 0`, `${files[2]!.key} 1 5`, `${other[1]!.key} 0 0`],
  )
})

test('a file in the middle that is deleted while the planner reads headers is a hole with its offsets, and so is the last one', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const files = await scene.putFiles(
    topic,
    0,
    Array.from({ length: 101 }, (_, n) => 3 * n),
  )
  for (const [victim, what, to] of [
    [files[60]!, 'offsets 180 to 182', 183],
    [files[99]!, 'offsets from 297 on', undefined],
  ] as const) {
    let deleted = 0
    const result = await scene.plan(create, real => ({
      ...real,
      openStore: async (options, tools) => {
        const store = await real.openStore(options, tools)
        // It was listed, or nobody would read it.
        const get: typeof store.get = async (key, more) => {
          if (key === victim.key && deleted++ === 0) await unlink(join(scene.folder, key))
          return store.get(key, more)
        }
        return new Proxy(store, { get: (of, name) => (name === 'get' ? get : boundTo(of, name)) })
      },
    }))
    assert.ok(deleted > 0, 'nothing was deleted')
    refused(result, 4, 'TILING_HOLE', `${topic}/0/ for ${what} was listed and is gone`)
    const { holes } = (result.json['error'] as { facts: { holes: unknown } }).facts
    const from = victim.covers.from
    assert.deepEqual(holes, [{ topic, partition: 0, from, ...(to !== undefined && { to }) }])
    assert.deepEqual(await scene.entries(), [])
    await scene.putFiles(topic, 0, [from, victim.covers.to])
  }
})

function boundTo(of: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(of, name, of)
  return typeof value === 'function' ? (value.bind(of) as unknown) : value
}

test('a hole behind what is planned is one, too: files that go missing between two runs are not passed over', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5])
  ok(await scene.plan(create))
  await scene.putFiles(topic, 0, [8, 12])
  refused(await scene.plan(create), 4, 'TILING_HOLE', topic, 'offsets 5 to 7', `--accept-gaps ${topic}-0`)
  assert.equal(ok(await scene.plan([...create, `--accept-gaps=${topic}-0`])).json['filesAdded'], 1)
})

test('files that overlap are refused by name, accepted gaps or not', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const [first] = await scene.putFiles(topic, 0, [0, 8])
  const [second] = await scene.putFiles(topic, 0, [5, 12])
  const result = await scene.plan([...create, '--accept-gaps', `${topic}-0`])
  refused(result, 4, 'TILING_HOLE', first!.key, second!.key, 'both cover offsets 5 to 7')
})

test('files of another cluster or of another topic id are refused by name', async t => {
  await using scene = await openRestoreScene(t)
  const [topic, other] = [scene.world.name('orders'), scene.world.name('payments')]
  await scene.putFiles(topic, 0, [0, 5])
  const [foreign] = await scene.putFiles(topic, 0, [5, 9], { clusterId: 'AAAAAAAAAAAAAAAAAAAAAA' })
  await scene.putFiles(other, 0, [0, 5])
  const [mixed] = await scene.putFiles(other, 0, [5, 9], { topicId: 'BBBBBBBBBBBBBBBBBBBBBA' })
  const ofCluster = await scene.plan([...create, '--topics', topic])
  refused(ofCluster, 6, 'FOREIGN_CLUSTER', foreign!.key, 'cluster AAAAAAAAAAAAAAAAAAAAAA')
  const ofTopic = await scene.plan([...create, '--topics', other])
  refused(ofTopic, 6, 'FOREIGN_CLUSTER', mixed!.key, 'topic id BBBBBBBBBBBBBBBBBBBBBA')
})

test('a file with records of another topic or partition is refused by name, whatever wrote it, and nothing is planned', async t => {
  await using scene = await openRestoreScene(t)
  const [topic, other] = [scene.world.name('orders'), scene.world.name('salaries')]
  const place = { topic, partition: 0 }
  for (const strange of [
    { topic: other, partition: 0 },
    { topic, partition: 9 },
  ]) {
    const key = dataKeepKey(place, 0n)
    const records = Array.from({ length: 5 }, (_, n) => dataKeepRecord(n, scene.world.dice))
    await scene.store.put(key, bodyOf(dataKeepFile(records, strange, scene.world.dice)), {})
    refused(await scene.plan([...create, `--topics=${topic}`]), 4, 'OBJECT_CORRUPT', key)
    await unlink(join(scene.folder, key))
    const [own] = await scene.putFiles(strange.topic, strange.partition, [0, 5])
    await rename(join(scene.folder, own!.key), join(scene.folder, key))
    refused(await scene.plan([...create, `--topics=${topic}`]), 4, 'OBJECT_CORRUPT', key)
    await unlink(join(scene.folder, key))
  }
  assert.deepEqual(await scene.entries(), [])
})

test('with --ignore-errors topics that something is wrong with are named and left out, the others planned, and exit code 3 says so', async t => {
  await using scene = await openRestoreScene(t)
  const [good, holed, damaged, odd] = ['good', 'holed', 'damaged', 'odd'].map(word => scene.world.name(word))
  await scene.putFiles(good!, 0, [0, 5])
  for (const borders of [
    [0, 5],
    [7, 9],
  ])
    await scene.putFiles(holed!, 0, borders)
  await scene.store.put(`${damaged}/0/${damaged}-0-0000000000000000000.avro`, bodyOf(Buffer.from('no container')), {})
  await scene.putFiles(odd!, 1, [0, 5])
  await scene.world.referee.createTopic(`r.${odd}`, { partitions: 1 })
  const names = (topics: unknown) => new Set((topics as { topic: string }[]).map(({ topic }) => topic))
  const flags = ['--create-topics', '--target-prefix=r.']
  refused(await scene.plan(flags), 4, 'OBJECT_CORRUPT', damaged!)
  assert.deepEqual(await scene.entries(), [])

  const planned = await scene.plan([...flags, '--ignore-errors'])
  assert.equal(planned.exit, 3, planned.stderr)
  assert.deepEqual(names(planned.json['leftOut']), new Set([damaged, holed, odd]))
  const warnings = (planned.json['warnings'] as string[]).join('\n')
  for (const text of [
    `${holed} is left out: `,
    'has no file for offsets 5 to 6',
    `${damaged} is left out: `,
    `${odd} is left out: `,
  ])
    assert.ok(warnings.includes(text), warnings)
  assert.deepEqual(
    (await scene.files()).map(({ source }) => source.topic),
    [good],
  )
  for (const topic of [holed, damaged])
    await assert.rejects(scene.world.referee.describeTopic(`r.${topic}`), /UnknownTopicOrPartition/)

  // What is right again comes into the same plan.
  await scene.putFiles(holed!, 0, [5, 7])
  const again = await scene.plan([...flags, '--ignore-errors'])
  assert.equal(again.exit, 3, again.stderr)
  assert.deepEqual(names(again.json['leftOut']), new Set([damaged, odd]))
  const planTopics = (await scene.files()).map(({ source }) => source.topic)
  assert.deepEqual(new Set(planTopics), new Set([good, holed]))
  assert.equal(planTopics.length, 4)

  // Nothing is left to plan: that is no success.
  const only = [...flags, '--ignore-errors', `--topics=${damaged}`]
  refused(await scene.plan(only), 4, 'OBJECT_CORRUPT', damaged!)
})

test('a selection without a file ends with exit code 10 and names what is there', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5])
  refused(await scene.plan([...create, '--topics', 'ordres.*']), 10, 'BACKUP_NOT_FOUND', `the backup holds ${topic}`)
  const elsewhere = new RegExp(`is it one of these\\? file://${scene.folder}\\b`)
  const wrong = [...create, `--plan-topic=${scene.planTopic}`, `--storage=file://${scene.folder}x`]
  const result = await runCommand(['plan', ...wrong, `--bootstrap-server=${scene.world.bootstrap}`])
  refused(result, 10, 'BACKUP_NOT_FOUND', `there is no backup in file://${scene.folder}x`, elsewhere)
})

test('keys that are no files of the backup are counted and named, and nothing of them is planned', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const files = await scene.putFiles(topic, 0, [0, 5])
  const offset = (n: number) => String(n).padStart(19, '0')
  const foreign = [
    `${topic}/0/notes.txt`,
    `${topic}/0/${topic}-0-5.avro`,
    `${topic}/0/${topic}-1-${offset(5)}.avro`,
    `${topic}/0/other-0-${offset(5)}.avro`,
    `${topic}/0/${topic}-0-${offset(5)}.avro.tmp`,
    `${topic}/0/deeper/${topic}-0-${offset(5)}.avro`,
    'readme.txt',
    `${topic}/notes.txt`,
  ]
  const folders = [`${topic}/00/${topic}-00-${offset(0)}.avro`, `${topic}/x/y`, 'no topic/0/z', `${topic}@id/0/z`]
  for (const key of [...foreign, ...folders]) await put(scene, key)
  const planned = ok(await scene.plan(create))
  assert.equal(planned.json['foreignKeys'], foreign.length + folders.length)
  const [warning = ''] = planned.json['warnings'] as string[]
  const names = [...foreign, `${topic}/00/`, `${topic}/x/`, 'no topic/', `${topic}@id/`]
  for (const name of names) assert.ok(warning.includes(name), `${name} is not in: ${warning}`)
  assert.deepEqual(
    (await scene.files()).map(({ object }) => object.key),
    [files[0]!.key],
  )
  refused(await scene.plan([...create, '--strict']), 4, 'TILING_HOLE', `${topic}/0/notes.txt`)
})

test('encrypted files are counted and named, nothing of them is planned, and what they cover is a hole', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const seal = async (partition: number, from: number, to: number) => {
    const key = tileKey({ topic, topicId: undefined, partition, lineage: undefined }, from, true)
    const facts = {
      clusterId: 'c',
      topicId: undefined,
      lineage: undefined,
      coversTo: to,
      records: to - from,
      uploadId: 'u',
    }
    const body = bodyOf(Buffer.from('age-encryption.org/v1\n'))
    assert.ok((await scene.store.put(key, body, tileFactsToMap(facts, body.sha256))).created)
    return key
  }
  const files = [...(await scene.putFiles(topic, 0, [0, 5])), ...(await scene.putFiles(topic, 0, [9, 12]))]
  const last = await scene.putFiles(topic, 1, [0, 4])
  const sealed = [await seal(0, 5, 9), await seal(1, 4, 7), await seal(2, 3, 8)]
  const refusal = await scene.plan(create)
  refused(refusal, 4, 'TILING_HOLE', ...sealed.map(key => `${key} is encrypted, and there is no key for it`))
  assert.deepEqual((refusal.json['error'] as { facts: { holes: unknown } }).facts.holes, [
    { topic, partition: 0, from: 5, to: 9 },
    { topic, partition: 1, from: 4, to: 7 },
    { topic, partition: 2, from: 3, to: 8 },
  ])
  const accepted = [0, 1, 2].map(partition => `--accept-gaps=${topic}-${partition}`)
  const planned = ok(await scene.plan([...create, ...accepted]))
  assert.equal(planned.json['encryptedFiles'], 3)
  const named = `3 files are encrypted, without a key, and were left out: ${sealed.join(', ')}`
  assert.ok((planned.json['warnings'] as string[]).includes(named))
  const keys = (await scene.files()).map(({ object }) => object.key)
  assert.deepEqual(keys.toSorted(), [...files, ...last].map(({ key }) => key).toSorted())
})

async function put({ folder }: RestoreScene, key: string): Promise<void> {
  await mkdir(dirname(join(folder, key)), { recursive: true })
  await writeFile(join(folder, key), 'nothing of ours')
}

test('topics are planned in the order of the first regex that matches, then by name; large ones last if that is wanted', async t => {
  await using scene = await openRestoreScene(t)
  const words = ['audit', 'billing', 'carts', 'orders', 'payments']
  for (const word of words) await scene.putFiles(scene.world.name(word), 0, [0, 2, 4])
  await scene.putFiles(
    scene.world.name('carts'),
    0,
    Array.from({ length: 8 }, (_, n) => 4 + n),
  )
  const order = [
    '--topics=pay.*',
    '--topics=(carts|orders).*',
    '--topics=.*',
    '--exclude-topics=bill.*',
    '--process-large-topics-last=4KiB',
    '--plan-partitions=1',
  ]
  ok(await scene.plan([...create, ...order]))
  const topics = (await scene.files()).map(({ source }) => source.topic)
  const wanted = ['payments', 'orders', 'audit', 'carts'].map(word => scene.world.name(word))
  assert.deepEqual([...new Set(topics)], wanted)
  assert.deepEqual(
    topics,
    topics.toSorted((a, b) => wanted.indexOf(a) - wanted.indexOf(b)),
  )
})

test('a dry run says what would be planned and changes nothing, neither in the cluster nor in the store', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5, 9])
  await using kafka = openClient(scene.world.bootstrap)
  const ours = async () =>
    (await kafka.admin.topics()).map(({ name }) => name).filter(name => name.includes(topic.slice(-7)))
  const before = await ours()
  const alters = ['admin.createTopic', 'admin.alterTopicConfigs', 'admin.alterBrokerDefaults', 'admin.newProducerId']
  const verbs = [...alters, 'kafka.append', 'store.put', 'store.delete']
  const faults = inProcessFaults(...verbs.map(verb => `${verb}:before:*:note`))
  const result = ok(await scene.plan([...create, '--dry-run'], faults.ports))
  assert.deepEqual(faults.fired(), [])
  assert.deepEqual(await ours(), before)
  assert.equal(result.json['isDryRun'], true)
  const [row] = result.json['topics'] as { target: string; created: boolean; files: number; records: number }[]
  assert.deepEqual([row?.target, row?.created, row?.files, row?.records], [`r.${topic}`, true, 2, 9])

  // The same, for real: the words were true, and the store is only read.
  const real = ok(await scene.plan(create, faults.ports))
  const fired = (verb: string) => faults.fired().some(fault => fault.startsWith(verb))
  for (const verb of ['admin.createTopic', 'admin.alterTopicConfigs', 'kafka.append']) assert.ok(fired(verb), verb)
  for (const verb of ['store.put', 'store.delete']) assert.ok(!fired(verb), verb)
  assert.deepEqual((real.json['topics'] as object[])[0], row)
})
