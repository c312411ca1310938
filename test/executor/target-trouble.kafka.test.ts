import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { eventually } from '../helpers/eventually.ts'
import { openForgetfulScene, skipWithoutForgetful } from '../helpers/forgetful-kafka.ts'
import { startCommand } from '../helpers/in-process.ts'
import type { RunningCommand } from '../helpers/in-process.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, refused } from '../helpers/restore-scene.ts'

const options = { skip: skipWithoutForgetful }

const records = 6_000

/** A restore of two partitions that has begun and is not over. */
async function inTheMiddle(
  scene: RestoreScene,
  ports?: (real: Ports) => Ports,
): Promise<{ target: string; restore: RunningCommand }> {
  const topic = scene.world.name('orders')
  for (const partition of [0, 1]) await scene.putFiles(topic, partition, [0, records])
  const target = `r.${topic}`
  await scene.world.referee.createTopic(target, { partitions: 2, configs: { 'max.message.bytes': 8_192 } })
  ok(await scene.plan(['--target-prefix=r.']))
  const restore = startCommand(scene.restoreArgv(['--exit-when-done', '--max-rate=150KiB']), ports)
  await eventually('both partitions have records', async () => (await ends(scene, target)).every(end => end > 0))
  return { target, restore }
}

async function ends({ world }: RestoreScene, topic: string): Promise<number[]> {
  return (await world.referee.offsets(topic)).map(({ end }) => Number(end))
}

test(
  'a record of somebody else in the middle of a restore stops that partition, by name and offset; others go on',
  options,
  async t => {
    await using scene = await openForgetfulScene(t)
    const { referee } = scene.world
    const { target, restore } = await inTheMiddle(scene)
    const [place] = await referee.produce(target, [{ partition: 1, value: 'not of the restore' }])
    const offset = Number(place?.offset)
    assert.ok(offset < records, 'the restore was over before')
    const result = await restore.result
    const [complete, spoiled] = await ends(scene, target)
    refused(result, 6, 'TARGET_SPOILED', `${target}-1 is spoiled from offset`)
    const { facts } = result.json['error'] as { facts: { topic: string; partition: number; offset: number } }
    assert.deepEqual([facts.topic, facts.partition], [target, 1])
    // Of what was on its way, one batch may stand behind the foreign record.
    assert.ok(facts.offset >= offset - 200 && facts.offset <= offset + 200, `${facts.offset}, and it came to ${offset}`)
    assert.equal(complete, records)
    assert.ok(spoiled !== undefined && spoiled < offset + 200, `${spoiled}`)

    refused(await scene.restore(), 6, 'TARGET_SPOILED', `${target}-1`)
    assert.deepEqual(await ends(scene, target), [complete, spoiled])
  },
)

test(
  'a broker that begins to give records its own time is stopped at the first batch, and so is who comes next',
  options,
  async t => {
    await using scene = await openForgetfulScene(t)
    const { target, restore } = await inTheMiddle(scene)
    await scene.world.referee.alterConfigs({ topic: target }, { set: { 'message.timestamp.type': 'LogAppendTime' } })
    refused(await restore.result, 6, 'TARGET_SPOILED', /gave records the time of the restore.*LogAppendTime/)
    const there = await ends(scene, target)
    assert.ok(
      there.some(end => end < records),
      'the restore was over before',
    )
    // Held again, it takes records as they are; but not behind some with other times.
    ok(await scene.plan(['--target-prefix=r.']))
    refused(await scene.restore(), 6, 'TARGET_SPOILED', 'its last record has the time of the restore')
    assert.deepEqual(await ends(scene, target), there)
  },
)

test('retention that eats the head of a target stops the partition at once', options, async t => {
  await using scene = await openForgetfulScene(t)
  const { target, restore } = await inTheMiddle(scene)
  await scene.world.referee.deleteRecords(target, 0, 10)
  const result = await restore.result
  refused(result, 6, 'TARGET_LOSING', `${target}-0 now begins at 10, and the restore began at 0`, 'retention.ms=-1')
  const [losing, complete] = await ends(scene, target)
  assert.ok(losing !== undefined && losing < records, 'the restore went on')
  assert.equal(complete, records)
})

test(
  'a hold that somebody reverts stops a restore within a minute, and the next one at its start',
  options,
  async t => {
    await using scene = await openForgetfulScene(t)
    const { referee } = scene.world
    // A minute of the watch is over at once; everything else takes its time.
    const minuteless = (real: Ports): Ports => ({
      ...real,
      clock: { ...real.clock, sleep: (ms, signal) => real.clock.sleep(ms === 60_000 ? 100 : ms, signal) },
    })
    const { target, restore } = await inTheMiddle(scene, minuteless)
    await referee.alterConfigs({ topic: target }, { set: { 'cleanup.policy': 'compact' } })
    const broken = `${target} is no longer held: cleanup.policy=compact`
    refused(await restore.result, 6, 'TARGET_CHANGED', broken, 'maxbrod plan')
    const stoppedAt = await ends(scene, target)
    assert.ok(
      stoppedAt.every(end => end < records),
      'the restore was over before',
    )

    refused(await scene.restore(), 6, 'TARGET_CHANGED', broken)
    assert.deepEqual(await ends(scene, target), stoppedAt)
    ok(await scene.plan(['--target-prefix=r.']))
    ok(await scene.restore())
    assert.deepEqual(await ends(scene, target), [records, records])
  },
)

test('a topic that is complete is sealed against old records until more of it is planned', options, async t => {
  await using scene = await openForgetfulScene(t)
  const { referee } = scene.world
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 100])
  const target = `r.${topic}`
  const flags = ['--create-topics', '--target-prefix=r.']
  const old = { timestamp: Date.now() - 30 * 24 * 3_600_000, value: 'a late copy' }
  const assertSealed = async (end: number) => {
    const { configs } = await referee.describeTopic(target)
    assert.equal(configs['message.timestamp.before.max.ms'], '3600000')
    await assert.rejects(referee.appendRecords(target, 0, [old]), /Timestamp/)
    assert.deepEqual(await ends(scene, target), [end])
  }
  ok(await scene.plan(flags))
  ok(await scene.restore())
  await assertSealed(100)

  assert.equal(ok(await scene.plan(flags)).json['filesAdded'], 0)
  await assertSealed(100)
  await scene.putFiles(topic, 0, [100, 150])
  ok(await scene.plan(flags))
  ok(await scene.restore())
  await assertSealed(150)
})
