import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { startCommand } from '../helpers/in-process.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

const records = 8_000

test('a plan topic that gets more partitions in the middle of a restore is refused, and what was restored stays as it was', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const topic = scene.world.name('orders')
  for (const partition of [0, 1]) await scene.putFiles(topic, partition, [0, records])
  const target = `r.${topic}`
  await referee.createTopic(target, { partitions: 2, configs: { 'max.message.bytes': 8_192 } })
  const flags = ['--target-prefix=r.', '--plan-partitions=1']
  ok(await scene.plan(flags))
  const restore = startCommand(scene.restoreArgv(['--max-rate=20KiB']))
  const ends = async () => (await referee.offsets(target)).map(({ end }) => Number(end))
  await eventually('both partitions have records', async () => (await ends()).every(end => end > 0))
  await referee.addPartitions(scene.planTopic, 3)
  const words = `${scene.planTopic} has 3 partitions and was planned with 1`
  refused(await scene.plan(flags), 6, 'PLAN_FOREIGN', words, '--plan-topic')
  refused(await scene.restore(), 6, 'PLAN_FOREIGN', words, '--plan-topic')
  // The one that is at work looks for itself.
  refused(await restore.result, 6, 'PLAN_FOREIGN', /has [23] partitions and was planned with 1/)
  const found = await referee.records(target, { restored: true })
  assert.ok(found.length > 0 && found.length < 2 * records, 'the restore was over before')
  for (const partition of [0, 1]) {
    const offsets = found.filter(one => one.partition === partition).map(one => Number(one.sourceOffset))
    assert.deepEqual(
      offsets,
      offsets.map((_, n) => n),
    )
  }
})
