import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { startCommand } from '../helpers/in-process.ts'
import { ok, openRestoreScene } from '../helpers/restore-scene.ts'

test('who waits with --exit-when-done takes over from an executor that dies, and each record is there once', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const source = await scene.source('orders', 2_000, { partitions: 4 })
  await scene.backUp(source)
  const target = scene.world.name('copy')
  await referee.createTopic(target, { partitions: 4, configs: { 'max.message.bytes': 16_384 } })
  ok(await scene.plan([`--rename=${source}=${target}`]))

  const quick = ['--exit-when-done', '--max-rate=200KiB']
  const fault = `kafka.append~${target}:after:12:kill`
  const victim = new FaultyCli(scene.restoreArgv(quick), [fault])
  await eventually('the first executor works', () => {
    assert.equal(victim.process.exitCode, null, victim.output)
    return victim.output.includes('joined the group')
  })
  const survivor = startCommand(scene.restoreArgv(quick))
  assert.equal((await victim.result).exit, 'SIGKILL', victim.output)
  victim.assertAllFired()
  const done = (await referee.offsets(target)).reduce((sum, { end }) => sum + Number(end), 0)
  assert.ok(done < 8_000, 'the restore was over before the executor died')

  const result = ok(await survivor.result)
  assert.equal(result.json['result'], 'ok')
  assert.ok((result.json['recordsSent'] as number) < 8_000, 'the victim restored nothing')
  await scene.assertSame(source, target)
})

test('an executor without a partition of its own ends when the others are done, and tells the whole restore', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 4_000])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const flags = ['--exit-when-done', '--max-rate=100KiB']
  const results = await Promise.all([1, 2, 3].map(() => startCommand(scene.restoreArgv(flags)).result))
  for (const result of results) {
    const row = { topic: `r.${topic}`, partitions: 1, recordsPlanned: 4_000, recordsRestored: 4_000 }
    assert.deepEqual(ok(result).json['topics'], [row])
  }
  const sent = results.map(({ json }) => json['recordsSent'] as number)
  assert.equal(
    sent.reduce((a, b) => a + b, 0),
    4_000,
    `sent: ${sent.join()}`,
  )
})
