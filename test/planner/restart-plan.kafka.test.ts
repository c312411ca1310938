import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { joinGroup } from '../helpers/group-member.ts'
import { runCommand } from '../helpers/in-process.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

test('--restart-plan forgets a plan whose targets were emptied, keeps nothing held for ever, and dies without harm', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const [topic, target] = [scene.world.name('orders'), scene.world.name('target')]
  for (const partition of [0, 1]) await scene.putFiles(topic, partition, [0, 5, 9])
  const own = { 'retention.ms': '86400000', 'cleanup.policy': 'compact' }
  await referee.createTopic(target, { partitions: 2, configs: own })
  const flags = [`--rename=${topic}=${target}`]
  const restart = [...flags, '--restart-plan']
  const first = ok(await scene.plan(restart)) // nothing to forget yet
  ok(await scene.restore())
  const before = await scene.entries()
  refused(await scene.plan(restart), 6, 'TARGET_NOT_EMPTY', `${target}-0 already holds records (0 to 8)`)
  const elsewhere = await scene.plan([`--rename=${topic}=${target}.other`, '--create-topics', '--restart-plan'])
  refused(elsewhere, 6, 'TARGET_NOT_EMPTY', `${target}-0 holds records of the plan that would be forgotten`)
  refused(await scene.plan([...restart, '--append']), 2, 'USAGE', '--restart-plan needs empty targets')
  assert.deepEqual(await scene.entries(), before)

  for (const partition of [0, 1]) await referee.deleteRecords(target, partition, 9)
  // Whoever restores again after wiping the target is told why nothing comes, and what to do.
  refused(await scene.restore(), 6, 'TARGET_LOSING', `${target}-`, 'it is empty', '--restart-plan')
  for (const groupId of [`maxbrod.restore.${scene.planTopic}`, scene.world.name('others')]) {
    await using kafka = openClient(scene.world.bootstrap)
    await using member = await joinGroup(kafka, { groupId, topics: new RegExp(`^${scene.planTopic}$`) })
    await eventually('an executor has partitions', () => member.owned().length > 0)
    // As every executor does once it has read its part of the plan.
    const offsets = member.session.owned.map(ownership => ({ ownership, offset: 0, leaderEpoch: -1, metadata: '' }))
    await member.session.commit(offsets)
    refused(await scene.plan(restart), 6, 'GROUP_ACTIVE', groupId)
    assert.deepEqual(await scene.entries(), before)
    await member.session.leave()
  }

  for (const fault of ['admin.alterTopicConfigs:after:1:kill', 'admin.deleteTopic:after:1:kill']) {
    const planner = new FaultyCli(scene.planArgv(restart), [fault])
    assert.equal((await planner.result).exit, 'SIGKILL', planner.output)
    planner.assertAllFired()
  }
  const again = ok(await scene.plan(restart))
  assert.notEqual(again.json['restoreId'], first.json['restoreId'])
  assert.equal(again.json['filesAdded'], 4)
  const [head] = await scene.heads()
  assert.deepEqual(head?.targets[0]?.baseOffsets, [9, 9])
  const { finalConfigs } = head.targets[0]
  assert.deepEqual([finalConfigs['retention.ms'], finalConfigs['cleanup.policy']], ['86400000', 'compact'])
  ok(await scene.restore(['--verify=full']))
  assert.equal((await referee.records(target)).length, 18)
})

test('--restart-plan does not delete a topic that is no plan', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const [topic, precious] = [scene.world.name('orders'), scene.world.name('precious')]
  await scene.putFiles(topic, 0, [0, 5])
  await referee.createTopic(precious, { partitions: 1 })
  await referee.produce(precious, [{ partition: 0, value: '{"kind":"order"}' }])
  const argv = [
    'plan',
    `--plan-topic=${precious}`,
    '--restart-plan',
    '--create-topics',
    '--target-prefix=r.',
    ...scene.common,
  ]
  refused(await runCommand(argv), 6, 'PLAN_FOREIGN', precious)
  assert.equal((await referee.records(precious)).length, 1)

  // Nor one that is empty: nobody knows whose it is.
  const scratch = scene.world.name('scratch')
  await referee.createTopic(scratch, { partitions: 3 })
  ok(await runCommand(argv.with(1, `--plan-topic=${scratch}`)))
  assert.equal((await referee.describeTopic(scratch)).partitions.length, 3)
})

test('--restart-plan keeps a plan while any of its targets has a record of it, held or not', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5])
  const flags = ['--create-topics', '--hold=off']
  ok(await scene.plan([...flags, '--target-prefix=a.']))
  ok(await scene.restore())
  const before = await scene.entries()
  const elsewhere = await scene.plan([...flags, '--target-prefix=b.', '--restart-plan'])
  refused(elsewhere, 6, 'TARGET_NOT_EMPTY', `a.${topic}-0 holds records of the plan that would be forgotten`)
  assert.deepEqual(await scene.entries(), before)
})
