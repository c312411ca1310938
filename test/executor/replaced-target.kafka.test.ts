import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { startCommand } from '../helpers/in-process.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

async function replace({ world }: RestoreScene, topic: string, partitions: number): Promise<void> {
  await world.referee.deleteTopic(topic)
  await eventually(`${topic} can be created again`, () =>
    world.referee.createTopic(topic, { partitions, configs: { 'retention.ms': -1 } }).then(() => true),
  )
}

async function isEmpty({ world }: RestoreScene, topic: string): Promise<boolean> {
  return (await world.referee.offsets(topic)).every(({ end }) => end === '0')
}

test('a target that was deleted and created again since the plan: no record of the restore gets into it', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  for (const partition of [0, 1]) await scene.putFiles(topic, partition, [0, 500])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  await replace(scene, `r.${topic}`, 2)
  const replaced = `r.${topic} is another topic since the restore was planned`
  refused(await scene.restore(), 6, 'TARGET_REPLACED', replaced, '--plan-topic')
  refused(await scene.plan(['--target-prefix=r.']), 6, 'TARGET_REPLACED', replaced)
  assert.ok(await isEmpty(scene, `r.${topic}`))

  await scene.world.referee.deleteTopic(`r.${topic}`)
  refused(await scene.restore(), 6, 'TARGET_REPLACED', `r.${topic} is gone since the restore was planned`)
})

test('a target that is deleted and created again in the middle of a restore gets no record of it, and ends it', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  for (const partition of [0, 1]) await scene.putFiles(topic, partition, [0, 40_000])
  const target = `r.${topic}`
  await scene.world.referee.createTopic(target, { partitions: 2, configs: { 'max.message.bytes': 16_384 } })
  ok(await scene.plan(['--target-prefix=r.']))
  const restore = startCommand(scene.restoreArgv(['--exit-when-done', '--max-rate=100KiB']))
  await eventually('some records are there', async () => !(await isEmpty(scene, target)))
  await replace(scene, target, 2)
  const result = await restore.result
  refused(result, 6, 'TARGET_REPLACED', `${target} is another topic since the restore was planned`)
  assert.ok(await isEmpty(scene, target))
})

test('a target that is deleted and created again when it is complete is not called restored by anybody', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 500])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const first = startCommand(scene.restoreArgv([]))
  await eventually('the first one has the plan partition', () => first.output().includes('"partitions":1,'))
  ok(await scene.restore())
  await replace(scene, `r.${topic}`, 1)
  // The first one has kept the only plan partition: another one judges by the cluster alone.
  refused(await scene.restore(), 6, 'TARGET_REPLACED', `r.${topic} is another topic since the restore was planned`)
  first.signal('SIGTERM')
  await first.result
})
