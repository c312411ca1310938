import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import { eventually } from '../helpers/eventually.ts'
import { openGroupsScene, withAdmin } from '../helpers/groups-scene.ts'
import { startCommand } from '../helpers/in-process.ts'
import { ok, refused } from '../helpers/restore-scene.ts'

test('groups of both protocols are saved with all that they committed, and a point that none of them is ahead of', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 50, { partitions: 2 })
  const [classic, modern, plain, member] = ['classic', 'modern', 'plain', 'member'].map(word => scene.group(word))
  for (const [group, protocol] of [
    [classic, 'classic'],
    [modern, 'consumer'],
  ] as const) {
    const consumer = await referee.openConsumer(group!, [topic], { protocol })
    await consumer.commit([
      { topic, partition: 0, offset: 50, metadata: 'Größe 📏', leaderEpoch: 0 },
      { topic, partition: 1, offset: 7 },
    ])
    await consumer.close()
  }
  await referee.commitOffsets(plain!, [{ topic, partition: 1, offset: 2 ** 60 }])
  const live = await referee.openConsumer(member!, [topic], { protocol: 'consumer' })
  const wanted = [`${classic} Empty`, `${member} Stable`, `${modern} Empty`]
  await eventually('the coordinator knows who left and who came', async () => {
    const states = (await referee.listGroups()).map(({ group, state }) => `${group} ${state}`)
    return wanted.every(one => states.some(state => state.toLowerCase() === one.toLowerCase()))
  })

  const { json } = ok(await scene.backUpGroups())
  assert.deepEqual([json['groups'], json['offsets'], json['isNewSnapshot'], json['isNewPoint']], [4, 5, true, true])
  const both = [
    { topic, partition: 0, offset: 50, metadata: 'Größe 📏', leaderEpoch: 0 },
    { topic, partition: 1, offset: 7, metadata: '', leaderEpoch: null },
  ]
  assert.deepEqual(await scene.committedIn(json['snapshot']), {
    [classic!]: both,
    [member!]: [],
    [modern!]: both,
    [plain!]: [{ topic, partition: 1, offset: 2 ** 53 - 2, metadata: '', leaderEpoch: null }],
  })
  const saved = await scene.groupsIn(json['snapshot'])
  assert.deepEqual(
    saved.map(group => [group.group_id, group.type, group.state]),
    [
      [classic, 'classic', 'Empty'],
      [member, 'consumer', 'Stable'],
      [modern, 'consumer', 'Empty'],
      [plain, 'classic', 'Empty'],
    ],
  )
  const { topicId } = await referee.describeTopic(topic)
  assert.equal(saved[0]!.topics[0]!.topic_id, topicId)
  const [point, ...others] = await scene.points()
  assert.deepEqual(others, [])
  assert.equal(point!.groupsKey, json['snapshot'])
  assert.deepEqual(
    point!.partitions.map(one => ({ ...one })),
    (await referee.offsets(topic)).map(({ partition, lastStable }) => ({
      topic,
      topic_id: topicId,
      partition,
      log_start: 0,
      end: Number(lastStable),
    })),
  )
  await live.close()
})

test('something is written only when something changed, by another process, too', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const group = scene.group('billing')
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 3, metadata: 'm', leaderEpoch: 0 }])
  const first = ok(await scene.backUpGroups()).json
  const again = ok(await scene.backUpGroups()).json
  assert.deepEqual([again['snapshot'], again['point']], [first['snapshot'], first['point']])
  assert.deepEqual([again['isNewSnapshot'], again['isNewPoint']], [false, false])

  await scene.write(topic, 5)
  const grown = ok(await scene.backUpGroups()).json
  assert.deepEqual([grown['isNewSnapshot'], grown['isNewPoint']], [false, true])
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 4 }])
  const moved = ok(await scene.backUpGroups()).json
  assert.deepEqual([moved['isNewSnapshot'], moved['isNewPoint']], [true, true])
  const points = await scene.points()
  assert.deepEqual(
    points.map(({ groupsKey, partitions }) => [groupsKey, partitions[0]!.end]),
    [
      [first['snapshot'], 10],
      [first['snapshot'], 15],
      [moved['snapshot'], 15],
    ],
  )
  assert.equal((await scene.committedIn(first['snapshot']))[group]![0]!.offset, 3, 'the old one is still there')
})

test('a group whose topic was deleted loses its offsets in Kafka, and not in the older snapshots', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const group = scene.group('billing')
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 3 }])
  const before = ok(await scene.backUpGroups()).json
  await referee.deleteTopic(topic)
  await eventually('its offsets are gone', async () => (await referee.groupOffsets(group)).length === 0)
  await referee.commitOffsets(scene.group('other'), [{ topic: await scene.source('more', 1), partition: 0, offset: 1 }])
  const after = ok(await scene.backUpGroups()).json
  assert.notEqual(after['snapshot'], before['snapshot'])
  assert.deepEqual((await scene.committedIn(after['snapshot']))[group] ?? [], [])
  assert.equal((await scene.committedIn(before['snapshot']))[group]![0]!.offset, 3)
})

test('no group at all where some were before is an error, and replaces nothing', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const none = ok(await scene.backUpGroups()).json
  assert.equal(none['snapshot'], undefined, 'a cluster without groups has points all the same')
  await referee.commitOffsets(scene.group('billing'), [{ topic, partition: 0, offset: 3 }])
  const { json } = ok(await scene.backUpGroups())
  await referee.deleteGroup(scene.group('billing'))
  refused(await scene.backUpGroups(), 6, 'GROUPS_VANISHED', 'knows 1')
  const points = await scene.points()
  assert.deepEqual(
    points.map(({ groupsKey }) => groupsKey),
    [undefined, json['snapshot']],
  )
})

test('a worker goes on over passing troubles, makes points as topics grow, and ends when it is asked to', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const group = scene.group('billing')
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 3 }])
  let isVanished = false
  const ports = withAdmin(admin => ({
    groups: async () => (isVanished ? [] : admin.groups()),
    async groupOffsets(groups) {
      return isVanished ? { offsets: new Map(), failed: new Map() } : admin.groupOffsets(groups)
    },
    async topics(names) {
      return (await admin.topics(names)).filter(({ name }) => name === topic)
    },
  }))
  const flags = ['--interval=100ms', '--metrics-port=0', scene.groups, ...scene.common]
  const worker = startCommand(['groups-backup', ...flags], ports)
  await eventually('a point is there', async () => (await scene.points()).length === 1)
  isVanished = true
  await eventually('it tells of the trouble', () => /GROUPS_VANISHED/.test(worker.output()))
  isVanished = false
  await scene.write(topic, 10)
  await eventually('it goes on', async () => (await scene.points()).at(-1)!.partitions[0]!.end === 20)
  worker.signal('SIGTERM')
  assert.equal((await worker.result).exit, 0)
  assert.equal(new Set((await scene.points()).map(point => point.groupsKey)).size, 1)
})

test('the groups of another cluster are refused, as its topics are', async t => {
  await using scene = await openGroupsScene(t)
  ok(await scene.backUpGroups())
  const elsewhere = withAdmin(() => ({ clusterId: async () => 'another-cluster-id' }))
  refused(await scene.backUpGroups([], elsewhere), 6, 'FOREIGN_CLUSTER')
})

test('a group that may not be seen any more stays in the newest snapshot as it was, and is named at each look', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const [secret, open] = [scene.group('secret'), scene.group('open')]
  for (const group of [secret, open]) await referee.commitOffsets(group, [{ topic, partition: 0, offset: 3 }])
  ok(await scene.backUpGroups())
  const hidden = withAdmin(admin => ({
    groups: async () => (await admin.groups()).filter(({ group }) => group !== secret),
    async groupOffsets(groups) {
      const { offsets } = await admin.groupOffsets(groups.filter(group => group !== secret))
      const denied = groups
        .filter(group => group === secret)
        .map(group => [group, 'GROUP_AUTHORIZATION_FAILED'] as const)
      return { offsets, failed: new Map(denied) }
    },
    topics: async names => (await admin.topics(names)).filter(({ name }) => name === topic),
  }))
  for (const offset of [4, 5]) {
    await referee.commitOffsets(open, [{ topic, partition: 0, offset }])
    const { exit, json } = await scene.backUpGroups([], hidden)
    assert.deepEqual([exit, json['denied'], json['isNewSnapshot']], [3, [secret], true])
    const saved = await scene.committedIn(json['snapshot'])
    assert.deepEqual([saved[secret]![0]!.offset, saved[open]![0]!.offset], [3, offset])
  }
  await referee.deleteGroup(open)
  const last = await scene.backUpGroups([], hidden)
  refused(last, 6, 'GROUPS_VANISHED', 'knows 1')
})

test('a partition that does not tell where it ends keeps no group out, and lost groups keep no partition out', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const group = scene.group('billing')
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 3 }])
  const leaderless = withAdmin(admin => ({
    topics: async names => (await admin.topics(names)).filter(({ name }) => name === topic),
    offsets: async (_, partitions) => ({
      offsets: new PartitionMap(),
      failed: new PartitionMap(partitions.map(one => [one, 'LEADER_NOT_AVAILABLE'] as const)),
    }),
  }))
  refused(await scene.backUpGroups([], leaderless), 5, 'KAFKA_GAVE_UP', 'does not tell where it ends')
  assert.deepEqual(await scene.points(), [])
  const { json } = ok(await scene.backUpGroups())
  assert.deepEqual([json['isNewSnapshot'], json['isNewPoint']], [false, true])
  assert.equal((await scene.committedIn(json['snapshot']))[group]![0]!.offset, 3)

  await scene.write(topic, 5)
  await referee.deleteGroup(group)
  refused(await scene.backUpGroups(), 6, 'GROUPS_VANISHED', 'knows 1')
  assert.deepEqual(
    (await scene.points()).map(({ groupsKey, partitions }) => [groupsKey, partitions[0]!.end]),
    [
      [json['snapshot'], 10],
      [json['snapshot'], 15],
    ],
  )
})

test('a look at some groups leaves the others in the snapshot, also those that another worker has saved meanwhile', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const [mine, theirs] = [scene.group('mine'), scene.group('theirs')]
  const commit = (group: string, offset: number) => referee.commitOffsets(group, [{ topic, partition: 0, offset }])
  const newest = async () => {
    const saved = await scene.committedIn((await scene.points()).at(-1)?.groupsKey)
    return [saved[mine]?.[0]?.offset, saved[theirs]?.[0]?.offset]
  }
  for (const group of [mine, theirs]) await commit(group, 3)
  ok(await scene.backUpGroups())
  const flags = [`--exclude-groups=${theirs}`, '--interval=100ms', '--metrics-port=0', scene.groups]
  const worker = startCommand(
    ['groups-backup', ...flags, ...scene.common],
    withAdmin(admin => ({ topics: async names => (await admin.topics(names)).filter(({ name }) => name === topic) })),
  )
  using _ending = { [Symbol.dispose]: () => worker.signal('SIGTERM') }
  await commit(mine, 4)
  await eventually('the worker saves its group and keeps the other', async () => (await newest()).join() === '4,3')
  await commit(theirs, 5)
  ok(await scene.backUpGroups([`--exclude-groups=${mine}`]))
  assert.deepEqual(await newest(), [4, 5])
  await commit(mine, 6)
  await eventually('the worker has seen what the other one saved', async () => (await newest()).join() === '6,5')
  worker.signal('SIGTERM')
  assert.equal((await worker.result).exit, 0)
})

test('damaged objects end no backup: it goes on from the newest sound ones, behind the damaged', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 10)
  const group = scene.group('billing')
  const saved: string[] = []
  for (const offset of [3, 4]) {
    await referee.commitOffsets(group, [{ topic, partition: 0, offset }])
    const { json } = ok(await scene.backUpGroups())
    saved.push(String(json['snapshot']), String(json['point']))
  }
  for (const key of saved.slice(2)) await writeFile(join(scene.folder, key), 'Obj')
  const { json, stderr } = ok(await scene.backUpGroups())
  assert.deepEqual([json['isNewSnapshot'], json['isNewPoint']], [true, true])
  assert.ok(String(json['snapshot']) > saved[2]! && String(json['point']) > saved[3]!)
  assert.equal((await scene.committedIn(json['snapshot']))[group]![0]!.offset, 4)
  for (const key of saved.slice(2)) assert.ok(stderr.includes(key), `${key} is named`)
})
