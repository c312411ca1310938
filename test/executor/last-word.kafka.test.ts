import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import type { ClusterAdmin } from '../../src/kafka/port/admin.ts'
import { eventually } from '../helpers/eventually.ts'
import { startCommand } from '../helpers/in-process.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

/** A cluster whose admin is another one. */
function withAdmin(change: (admin: ClusterAdmin) => Partial<ClusterAdmin>): (real: Ports) => Ports {
  return real => ({
    ...real,
    async openKafka(options, tools) {
      const kafka = await real.openKafka(options, tools)
      return { ...kafka, admin: { ...kafka.admin, ...change(kafka.admin) } }
    },
  })
}

/** A topic of two partitions with so many records in each, backed up and planned. */
async function planned(scene: RestoreScene, records: number): Promise<{ topic: string; copy: string }> {
  const topic = await scene.source('orders', records, { partitions: 2 })
  await scene.backUp(topic)
  ok(await scene.plan(['--create-topics', '--target-prefix=r.', '--plan-partitions=2']))
  return { topic, copy: `r.${topic}` }
}

test('a late copy that arrives before the seal shows behind it: a doubled record is never called done', async t => {
  await using scene = await openRestoreScene(t)
  const { copy } = await planned(scene, 50)
  let sealed = 0
  const late = withAdmin(admin => ({
    async alterTopicConfigs(topic, configs) {
      sealed++
      await scene.world.referee.produce(copy, [{ partition: 1, timestamp: 1_700_000_000_000, value: 'late' }])
      await admin.alterTopicConfigs(topic, configs)
    },
  }))
  const result = await scene.restore([], late)
  assert.equal(sealed, 1, 'it was not sealed')
  refused(result, 6, 'TARGET_SPOILED', new RegExp(`${copy}-1 holds [0-9]+ records, where [0-9]+ are planned`))
})

test('done is what was planned at the start: a plan that grows meanwhile leaves nothing incomplete', async t => {
  await using scene = await openRestoreScene(t)
  const { topic, copy } = await planned(scene, 50)
  let counted = 0
  const growing = withAdmin(admin => ({
    async offsets(kind, partitions) {
      // The first count of all target partitions: the executor has given its plan partitions up.
      if (kind === 'log start' && partitions.length === 2 && counted++ === 0) {
        await scene.write(topic, 20, 2)
        await scene.backUp(topic)
        ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
      }
      return admin.offsets(kind, partitions)
    },
  }))
  const { json } = ok(await scene.restore(['--verify=full'], growing))
  assert.ok(counted > 0)
  assert.equal(json['result'], 'ok')
  const [restored] = json['topics'] as { recordsPlanned: number; recordsRestored: number }[]
  assert.deepEqual([restored?.recordsPlanned, restored?.recordsRestored], [100, 100])
  ok(await scene.restore(['--verify=full']))
  await scene.assertSame(topic, copy)
})

test('an executor that goes on ends when one of its partitions cannot: others are through, and it says which', async t => {
  await using scene = await openRestoreScene(t)
  const { topic, copy } = await planned(scene, 50)
  await scene.world.referee.produce(copy, [{ partition: 0, value: 'a stranger' }])
  const executor = startCommand(scene.restoreArgv([]))
  refused(await executor.result, 6, 'TARGET_SPOILED', `${copy}-0 is spoiled from offset 0`)
  const [[, source], [, whole]] = await Promise.all([
    scene.world.referee.read(topic),
    scene.world.referee.read(copy, { restored: true }),
  ])
  assert.equal(whole?.digest, source?.digest)
})

test('an executor that waits for others is not left waiting when one of theirs stops', async t => {
  await using scene = await openRestoreScene(t)
  const { copy } = await planned(scene, 50)
  await scene.world.referee.produce(copy, [{ partition: 0, value: 'a stranger' }])
  const results = await Promise.all([startCommand(scene.restoreArgv([])).result, scene.restore()])
  for (const result of results) refused(result, 6, 'TARGET_SPOILED', `${copy}-0 is spoiled from offset 0`)
})

test('a file that is broken ends the restore with exit code 3 and its name, behind all that can be restored', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 10])
  await scene.putFiles(topic, 1, [0, 10])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const [file] = (await scene.files()).filter(({ source }) => source.partition === 1)
  await rm(`${scene.folder}/${file!.object.key}`)
  const { exit, json, stderr } = await scene.restore()
  assert.equal(exit, 3, stderr)
  assert.equal(json['result'], 'partial')
  const incomplete = json['incomplete'] as { code: string; recordsRestored: number; message: string }[]
  assert.deepEqual(
    incomplete.map(({ code, recordsRestored }) => [code, recordsRestored]),
    [['OBJECT_MISSING', 0]],
  )
  assert.ok(incomplete[0]?.message.includes(file!.object.key), incomplete[0]?.message)
})

test('SIGTERM ends an executor that is still waiting to be let into the group', async t => {
  await using scene = await openRestoreScene(t)
  await planned(scene, 10)
  const joining = Promise.withResolvers<void>()
  let letIn: AbortSignal | undefined
  const executor = startCommand(scene.restoreArgv(['--exit-when-done']), real => ({
    ...real,
    async openKafka(options, tools) {
      const kafka = await real.openKafka(options, tools)
      return {
        ...kafka,
        joinGroup(_, signal) {
          letIn = signal
          joining.resolve()
          return new Promise((_resolve, reject) =>
            signal?.addEventListener('abort', () => reject(signal.reason as Error)),
          )
        },
      }
    },
  }))
  await joining.promise
  executor.signal('SIGTERM')
  await eventually('the wait is called off', () => letIn?.aborted === true)
  assert.equal((await executor.result).exit, 143)
})
