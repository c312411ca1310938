import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import type { ClusterAdmin } from '../../src/kafka/port/admin.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import { dataKeepGroups } from '../helpers/data-keep-groups.ts'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import type { GroupsScene } from '../helpers/groups-scene.ts'
import { offsetsOf, openGroupsScene } from '../helpers/groups-scene.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { ok, refused } from '../helpers/restore-scene.ts'

/** Groups a to f with an offset in each of two partitions, saved, and their topic restored beside its source. */
async function openRestored(t: TestContext) {
  const scene = await openGroupsScene(t)
  const topic = await scene.source('orders', 40, { partitions: 2 })
  const words = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const [n, word] of words.entries()) await commit(scene, scene.group(word), topic, n)
  ok(await scene.backUpGroups())
  await scene.backUp(topic)
  ok(await scene.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=copy.']))
  ok(await scene.restore())
  return { scene, topic, copy: `copy.${topic}`, words, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() }
}

async function commit(scene: GroupsScene, group: string, topic: string, offset: number): Promise<void> {
  const offsets = [0, 1].map(partition => ({ topic, partition, offset: offset + partition, metadata: `m${offset}` }))
  await scene.world.referee.commitOffsets(group, offsets)
}

/** Offsets and metadata of groups in one topic, by group. */
async function standing(scene: GroupsScene, groups: readonly string[], topic: string): Promise<unknown[]> {
  const all = await Promise.all(groups.map(group => scene.world.referee.groupOffsets(group)))
  return all.map(offsets =>
    offsets
      .filter(one => one.topic === topic)
      .map(({ partition, offset, metadata }) => [partition, Number(offset), metadata]),
  )
}

const restored = (n: number) => [
  [0, n, `m${n}`],
  [1, n + 1, `m${n}`],
]

test('groups are restored, left alone or refused one by one, by members of either protocol, by other offsets, and never moved back', async t => {
  await using at = await openRestored(t)
  const { scene, copy, words } = at
  const { referee } = scene.world
  const run = (...flags: string[]) => scene.restoreGroups(['--group-prefix=r.', ...flags])
  const groups = words.map(word => `r.${scene.group(word)}`)
  const [, b, c, d, e] = groups
  const classic = await referee.openConsumer(b!, [copy], { protocol: 'classic' })
  const modern = await referee.openConsumer(c!, [copy], { protocol: 'consumer' })
  await referee.commitOffsets(d!, [{ topic: copy, partition: 0, offset: 9 }])
  await referee.commitOffsets(e!, [{ topic: copy, partition: 1, offset: 2 }])

  const verdictsOf = (result: Awaited<ReturnType<typeof run>>) =>
    groups.map(group => [
      ...new Set(
        offsetsOf(result)
          .filter(row => row.targetGroup === group)
          .map(row => row.verdict),
      ),
    ])
  const expected = [
    ['exact'],
    ['group-active'],
    ['group-active'],
    ['already-has-offsets'],
    ['already-has-offsets'],
    ['exact'],
  ]
  const dry = await run()
  assert.deepEqual([dry.exit, verdictsOf(dry)], [3, expected])
  const done = await run('--execute')
  assert.deepEqual([done.exit, verdictsOf(done)], [3, expected])
  assert.match(done.stderr, new RegExp(`${b}.*group-active`))
  // Who is to be stopped, whichever protocol it speaks.
  for (const result of [dry, done])
    for (const group of [b, c]) {
      const { reason } = offsetsOf(result).find(row => row.targetGroup === group)!
      assert.match(reason, /: \S+ \(client \S+ at \/127\.0\.0\.1\)/)
    }
  assert.deepEqual(await standing(scene, groups, copy), [restored(0), [], [], [[0, 9, '']], [[1, 2, '']], restored(5)])

  await classic.close()
  await modern.close()
  // d stands ahead in one partition and is not moved back; e is behind, and is moved on.
  const more = await run('--execute', '--overwrite')
  assert.deepEqual(verdictsOf(more), [['exact'], ['exact'], ['exact'], ['already-has-offsets'], ['exact'], ['exact']])
  assert.deepEqual((await standing(scene, [d!, e!], copy)).flat(), [[0, 9, ''], ...restored(4)])
  const back = await run('--execute', '--overwrite', '--allow-backwards')
  assert.equal(back.exit, 0, back.stderr)
  assert.deepEqual(
    await standing(scene, groups, copy),
    words.map((_, n) => restored(n)),
  )

  // A consumer that went on is not thrown back by whoever runs it again.
  await referee.commitOffsets(groups[0]!, [{ topic: copy, partition: 0, offset: 12 }])
  const again = await run('--execute', '--overwrite')
  assert.deepEqual([again.exit, verdictsOf(again)[0]], [3, ['already-has-offsets', 'exact']])
  assert.deepEqual((await standing(scene, [groups[0]!], copy))[0], [
    [0, 12, ''],
    [1, 1, 'm0'],
  ])
})

test('killed around any call, run again: the same groups at the same offsets', async t => {
  await using at = await openRestored(t)
  const { scene, copy, words } = at
  const faults = [
    'admin.commitFromOutside:before:1:kill',
    'admin.commitFromOutside:after:3:kill',
    'admin.groupOffsets:after:2:kill',
    'kafka.readSourceOffsets:before:2:kill',
  ]
  for (const [n, fault] of faults.entries()) {
    const argv = scene.groupsRestoreArgv([`--group-prefix=k${n}.`, '--execute'])
    const killed = new FaultyCli([...argv, '-o', 'json'], [fault])
    assert.equal((await killed.result).exit, 'SIGKILL')
    killed.assertAllFired()
    const { exit, stderr, json } = await scene.restoreGroups([`--group-prefix=k${n}.`, '--execute'])
    assert.equal(exit, 0, stderr)
    assert.deepEqual(json['verdicts'], { exact: 12 })
    const groups = words.map(word => `k${n}.${scene.group(word)}`)
    assert.deepEqual(
      await standing(scene, groups, copy),
      words.map((_, one) => restored(one)),
      fault,
    )
  }
})

test('a partition that does not answer once fails by itself, and none of its groups is committed in it', async t => {
  await using at = await openRestored(t)
  const { scene, copy, words } = at
  const fault = `kafka.readSourceOffsets~${copy}-0:before:1:fail`
  const argv = scene.groupsRestoreArgv(['--group-prefix=f.', '--execute'])
  const silent = new FaultyCli([...argv, '-o', 'json'], [fault])
  assert.equal((await silent.result).exit, 3)
  silent.assertAllFired()
  const groups = words.map(word => `f.${scene.group(word)}`)
  assert.deepEqual(
    await standing(scene, groups, copy),
    words.map((_, n) => restored(n).slice(1)),
  )
  const again = ok(await scene.restoreGroups(['--group-prefix=f.', '--execute']))
  assert.deepEqual(again.json['verdicts'], { exact: 12 })
})

test('a plan that does not show is not taken for none, nor one that was begun anew for the one that it was', async t => {
  await using scene = await openGroupsScene(t)
  const topic = await scene.source('orders', 20, { partitions: 2 })
  await commit(scene, scene.group('a'), topic, 7)
  ok(await scene.backUpGroups())
  await scene.backUp(topic)
  // The source has its own name in this cluster: without the plan, offsets would go there.
  const flags = [`--topics=${topic}`, '--create-topics', '--target-prefix=copy.']
  ok(await scene.plan(flags))
  const without = (change: (admin: ClusterAdmin) => Partial<ClusterAdmin>) => async () =>
    scene.restoreGroups(['--execute', '--group-prefix=r.'], real => ({
      ...real,
      async openKafka(...of) {
        const kafka = await real.openKafka(...of)
        return { ...kafka, admin: { ...kafka.admin, ...change(kafka.admin) } }
      },
    }))
  const hidden = without(admin => ({
    topics: async names =>
      (await admin.topics(names)).map(one =>
        one.name === scene.planTopic ? { ...one, partitions: 0, error: 'TOPIC_AUTHORIZATION_FAILED' as const } : one,
      ),
  }))
  const leaderless = without(admin => ({
    offsets: async (kind, partitions) =>
      partitions.some(one => one.topic === scene.planTopic)
        ? {
            offsets: new PartitionMap(),
            failed: new PartitionMap(partitions.map(one => [one, 'LEADER_NOT_AVAILABLE'] as const)),
          }
        : admin.offsets(kind, partitions),
  }))
  refused(await hidden(), 12, 'KAFKA_AUTH', scene.planTopic, 'grant Describe and Read')
  refused(await leaderless(), 5, 'KAFKA_GAVE_UP', `${scene.planTopic}: LEADER_NOT_AVAILABLE`)
  assert.deepEqual(await scene.world.referee.groupOffsets(`r.${scene.group('a')}`), [])

  const follower = startCommand(scene.groupsRestoreArgv(['--follow', '--execute', '--group-prefix=r.']))
  const isThere = async () => (await scene.world.referee.groupOffsets(`r.${scene.group('a')}`)).length > 0
  await eventually('it has read the plan', isThere)
  ok(await scene.plan([...flags, '--restart-plan']))
  refused(await follower.result, 6, 'PLAN_FOREIGN', `${scene.planTopic} is not the plan topic that it was`)

  const everything = -1
  await scene.world.referee.deleteRecords(scene.planTopic, 0, everything)
  const beheaded = await scene.restoreGroups(['--execute', '--group-prefix=r.'])
  refused(beheaded, 4, 'PLAN_CORRUPT', `${scene.planTopic}-0 begins at offset `, 'retention.ms', 'new --plan-topic')
})

test('it goes on while the restore does, commits a group when all of its partitions are there, and ends at its time in any case', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const [early, late] = [
    await scene.source('early', 20, { partitions: 2 }),
    await scene.source('late', 20, { partitions: 2 }),
  ]
  const [one, two, both] = ['one', 'two', 'both'].map(word => scene.group(word))
  await commit(scene, one!, early, 3)
  await commit(scene, two!, late, 4)
  await commit(scene, both!, early, 5)
  await commit(scene, both!, late, 6)
  ok(await scene.backUpGroups())
  await scene.backUp(early, late)
  const plan = (topic: string) => scene.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=copy.'])
  ok(await plan(early))
  ok(await scene.restore())
  ok(await scene.plan([`--topics=early.*`, `--topics=${late}`, '--create-topics', '--target-prefix=copy.']))

  const blind = [`--plan-topic=${scene.world.name('of-another-restore')}`, '--target-prefix=copy.', '--group-prefix=x.']
  const elsewhere = await runCommand([
    'groups-restore',
    '--execute',
    '--metrics-port=0',
    scene.groups,
    ...blind,
    ...scene.common,
  ])
  assert.deepEqual([elsewhere.exit, elsewhere.json['verdicts']], [3, { exact: 4, failed: 4 }], elsewhere.stderr)
  for (const row of offsetsOf(elsewhere).filter(({ verdict }) => verdict === 'failed'))
    assert.match(row.reason, /a restore still fills the topic.*--plan-topic/)
  assert.deepEqual(await referee.groupOffsets(`x.${two!}`), [], 'what is to come is not taken for lost')

  // Without the plan, late has its own name in this cluster, and early is said to have it as well.
  const renamed = [blind[0]!, '--group-prefix=y.', `--rename=${early}=${late}`, '--execute', '--metrics-port=0']
  const rivals = await runCommand(['groups-restore', scene.groups, ...renamed, ...scene.common])
  assert.equal(rivals.exit, 3, rivals.stderr)
  const ofBoth = offsetsOf(rivals).filter(row => row.group === both)
  assert.equal(ofBoth.length, 4)
  for (const { verdict, topic, reason } of ofBoth) {
    assert.equal(verdict, 'failed')
    const other = topic === early ? late : early
    assert.ok(reason.startsWith(`${both} has offsets of ${topic} and of ${other}, `), reason)
    assert.match(reason, new RegExp(`--rename ${late}=NAME.*--exclude-groups`))
  }
  assert.deepEqual(await referee.groupOffsets(`y.${both!}`), [], 'neither is taken for the other')

  const inTime = await scene.restoreGroups(['--execute', '--timeout=500ms', '--group-prefix=t.'])
  assert.equal(inTime.exit, 3, inTime.stderr)
  const byGroup = Map.groupBy(offsetsOf(inTime), row => row.group)
  assert.deepEqual(
    byGroup.get(one!)!.map(row => row.verdict),
    ['exact', 'exact'],
  )
  assert.deepEqual(
    byGroup.get(two!)!.map(row => row.verdict),
    ['failed', 'failed'],
  )
  const stalled = await scene.restoreGroups(['--execute', '--give-up-after=500ms', '--group-prefix=g.'])
  assert.deepEqual([stalled.exit, stalled.json['verdicts']], [3, inTime.json['verdicts']])

  const stopped = startCommand(scene.groupsRestoreArgv(['--execute', '--group-prefix=s.']))
  await eventually('a whole group is there', async () => (await referee.groupOffsets(`s.${one!}`)).length > 0)
  stopped.signal('SIGTERM')
  assert.deepEqual((await stopped.result).json['verdicts'], { exact: 2, waiting: 6 })
  assert.deepEqual(await referee.groupOffsets(`s.${both!}`), [])

  const running = startCommand(scene.groupsRestoreArgv(['--execute']))
  await eventually('the first group is there', async () =>
    (await referee.groupOffsets(one!)).some(row => row.topic.startsWith('copy')),
  )
  assert.ok(!(await referee.groupOffsets(both!)).some(row => row.topic.startsWith('copy')), 'a part of it waits')
  ok(await scene.restore())
  const done = ok(await running.result)
  assert.deepEqual(done.json['verdicts'], { exact: 8 })
  const copies = (await referee.groupOffsets(both!)).filter(row => row.topic.startsWith('copy'))
  assert.deepEqual(
    copies.map(row => Number(row.offset)),
    [5, 6, 6, 7],
  )
})

test('a target that lost its head is gone on with where it begins now', async t => {
  await using at = await openRestored(t)
  const { scene, copy } = at
  await scene.world.referee.deleteRecords(copy, 0, 4)
  const { exit, json } = await scene.restoreGroups(['--execute', '--group-prefix=h.'])
  assert.deepEqual([exit, json['verdicts']], [3, { exact: 8, 'before-data': 4 }])
  const [next] = await scene.world.referee.nextRecords(`h.${scene.group('a')}`, [{ topic: copy, partition: 0 }])
  assert.deepEqual([next!.kind, next!.offset, next!.sourceOffset], ['record', '4', '4'])

  const everything = -1
  await scene.world.referee.deleteRecords(copy, 1, everything)
  const emptied = await scene.restoreGroups(['--execute', '--group-prefix=e.'])
  assert.deepEqual([emptied.exit, emptied.json['verdicts']], [3, { exact: 2, 'before-data': 10 }])
  const reasons = offsetsOf(emptied).flatMap(row => (row.partition === 1 ? [row.reason] : []))
  assert.deepEqual([...new Set(reasons)], ['none of the records that were restored here is left'])
})

test('groups of a topic that was itself restored go on in its second copy', async t => {
  await using at = await openRestored(t)
  const { scene, copy } = at
  const { referee } = scene.world
  ok(await runCommand(['finalize', `--plan-topic=${scene.planTopic}`, '--yes', ...scene.common.slice(0, 1)]))
  // So that offsets of the first and the second generation differ.
  await referee.deleteRecords(copy, 0, 6)
  const group = scene.group('second')
  await referee.commitOffsets(group, [{ topic: copy, partition: 0, offset: 11, metadata: 'two' }])
  ok(await scene.backUpGroups())
  await scene.backUp(copy.replaceAll('.', String.raw`\.`))
  const plan = ['--plan-topic', scene.world.name('second-plan')]
  ok(await runCommand(['plan', ...plan, `--topics=${copy}`, '--create-topics', '--target-prefix=2.', ...scene.common]))
  ok(await runCommand(['restore', ...plan, '--exit-when-done', '--metrics-port=0', ...scene.common]))
  const flags = ['--execute', '--metrics-port=0', `--groups=${group}`, '--group-prefix=2.']
  const done = ok(await runCommand(['groups-restore', ...plan, ...flags, ...scene.common]))
  assert.deepEqual(done.json['verdicts'], { exact: 1 })
  const [next] = await referee.nextRecords(`2.${group}`, [{ topic: `2.${copy}`, partition: 0 }])
  assert.deepEqual([next!.offset, next!.sourceOffset], ['5', '11'])
})

test('topics that kafka-data-keep restored, and its file of groups: no plan, and records of others behind', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = scene.world.name('orders')
  const copy = `restored.${topic}`
  await referee.createTopic(copy, { partitions: 2 })
  const sources = [100, 101, 103, 107, 108]
  const header = (source: number) => [
    ['first', 'x'],
    ['restore.source-offset', `${source}`],
    ['last', 'y'],
  ]
  await referee.produce(copy, [
    ...sources.map(source => ({ partition: 0, value: `${source}`, headers: header(source) as never })),
    { partition: 0, value: 'written since' },
  ])
  const positions = [0, 100, 103, 104, 108, 109, 200]
  const saved = positions.map(offset => ({
    group_id: scene.group(`g${offset}`),
    topics: [
      { topic, partitions: [0, 1].map(partition => ({ partition, offset, leader_epoch: 3, metadata: 'kept' })) },
    ],
  }))
  await scene.store.put('groups/offsets.avro', bodyOf(dataKeepGroups(saved)), {})
  const flags = ['--s3-location=groups/offsets.avro', '--restore-topics-prefix=restored.', '--restore-groups-prefix=r.']
  const stopped = startCommand(scene.groupsRestoreArgv(['--execute', '--timeout=1h', ...flags]))
  await eventually('it looks', () => stopped.output().includes('restoring consumer groups'))
  stopped.signal('SIGTERM')
  assert.deepEqual((await stopped.result).json['verdicts'], { waiting: 14 }, 'its time was not over')
  const done = await scene.restoreGroups(['--execute', ...flags])
  assert.equal(done.exit, 3)
  const rows = offsetsOf(done).filter(row => row.partition === 0)
  assert.deepEqual(
    rows.map(row => [row.saved, row.verdict, row.offset]),
    [
      [0, 'before-data', 0],
      [100, 'exact', 0],
      [103, 'exact', 2],
      [104, 'next-after-gap', 3],
      [108, 'exact', 4],
      [109, 'tip', 5],
      [200, 'clamped', 5],
    ],
  )
  assert.match(rows.at(-1)!.reason, /at most 91/)
  const [next] = await referee.nextRecords(`r.${scene.group('g109')}`, [{ topic: copy, partition: 0 }])
  assert.equal(next!.value, 'written since')
  assert.equal((await referee.groupOffsets(`r.${scene.group('g103')}`))[0]!.metadata, 'kept')
})

test('a leader epoch of another cluster would make consumers hang: it is saved, and not restored', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 9)
  const group = scene.group('billing')
  const where = { topic, partition: 0 }
  await referee.commitOffsets(group, [{ ...where, offset: 4, leaderEpoch: 7 }])
  const { snapshot } = ok(await scene.backUpGroups()).json
  assert.deepEqual(
    (await scene.committedIn(snapshot))[group]!.map(one => one.leaderEpoch),
    [7],
  )
  await assert.rejects(referee.nextRecords(group, [where], { timeoutMs: 3_000 }), 'what this is all about')
  await scene.backUp(topic)
  ok(await scene.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=copy.']))
  ok(await scene.restore())
  ok(await scene.restoreGroups(['--execute']))
  const target = { topic: `copy.${topic}`, partition: 0 }
  const committed = await referee.groupOffsets(group)
  assert.equal(committed.find(one => one.topic === target.topic)!.leaderEpoch, null)
  const [next] = await referee.nextRecords(group, [target])
  assert.equal(next!.sourceOffset, '4')
})

test('as of before a topic was deleted, its groups are there; and a name or a time that has none is said', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 20, { partitions: 2 })
  const group = scene.group('billing')
  await commit(scene, group, topic, 7)
  const before = ok(await scene.backUpGroups()).json
  await scene.backUp(topic)
  const at = new Date().toISOString()
  await referee.deleteTopic(topic)
  await eventually('its offsets are gone', async () => (await referee.groupOffsets(group)).length === 0)
  await referee.commitOffsets(scene.group('other'), [{ topic: await scene.source('more', 1), partition: 0, offset: 1 }])
  const after = ok(await scene.backUpGroups()).json
  assert.notEqual(after['snapshot'], before['snapshot'])

  ok(await scene.plan([`--topics=${topic}`, '--create-topics', `--at=${at}`]))
  ok(await scene.restore())
  const newest = await scene.restoreGroups(['--execute', `--groups=${group}`])
  refused(newest, 10, 'BACKUP_NOT_FOUND', String(after['snapshot']))
  const done = ok(await scene.restoreGroups(['--execute', `--at=${at}`, `--groups=${group}`]))
  assert.deepEqual([done.json['snapshot'], done.json['verdicts']], [before['snapshot'], { exact: 2 }])
  assert.deepEqual((await standing(scene, [group], topic))[0], [
    [0, 7, 'm7'],
    [1, 8, 'm7'],
  ])
  const name = String(before['snapshot']).slice('@groups/'.length, -'.avro'.length)
  assert.equal(
    ok(await scene.restoreGroups([`--snapshot=${name}`, `--groups=${group}`])).json['snapshot'],
    before['snapshot'],
  )
  refused(await scene.restoreGroups(['--at=2001-01-01']), 10, 'BACKUP_NOT_FOUND', 'no restoration point')
  refused(await scene.restoreGroups(['--snapshot=nothing.avro']), 4, 'OBJECT_MISSING')
})
