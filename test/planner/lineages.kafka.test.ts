import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

const create = ['--create-topics', '--target-prefix=r.']

/** For each restored record, its source offset and key. */
async function restored(scene: Awaited<ReturnType<typeof openRestoreScene>>, topic: string): Promise<string[]> {
  const records = await scene.world.referee.records(`r.${topic}`, { restored: true })
  return records.map(
    ({ sourceOffset, key }) => `${sourceOffset} ${key === null ? '-' : Buffer.from(key, 'hex').toString()}`,
  )
}

test('a topic that lost records in an election comes back as its log is now; the lost ones stay in the backup', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const old = await scene.putFiles(topic, 0, [0, 10, 20, 30])
  const newer = await scene.putFiles(topic, 0, [13, 18, 25], { origin: 13 }, 7)
  const planned = ok(await scene.plan(create))
  const warnings = planned.json['warnings'] as string[]
  assert.ok(warnings.some(text => text.includes(`${topic}-0: an unclean leader election cut the log at offset 13`)))
  assert.deepEqual(
    (await scene.files()).map(({ object: { key }, covers, slice, records }) => ({ key, covers, slice, records })),
    [
      { key: old[0]!.key, covers: { from: 0, to: 10 }, slice: undefined, records: 10 },
      { key: old[1]!.key, covers: { from: 10, to: 20 }, slice: { fromOffset: 10, toOffset: 13 }, records: 3 },
      { key: newer[0]!.key, covers: { from: 13, to: 18 }, slice: undefined, records: 5 },
      { key: newer[1]!.key, covers: { from: 18, to: 25 }, slice: undefined, records: 7 },
    ],
  )
  ok(await scene.restore())
  const expected = Array.from({ length: 25 }, (_, offset) => offset)
  const found = await restored(scene, topic)
  assert.deepEqual(
    found.map(line => Number(line.split(' ')[0])),
    expected,
  )
  assert.deepEqual(
    found.map(line => line.endsWith('epoch 7')),
    expected.map(offset => offset >= 13),
  )
  // Nothing is planned twice.
  assert.equal(ok(await scene.plan(create)).json['filesAdded'], 0)
})

test('a plan from before the election is refused when it holds what Kafka lost', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 10, 20])
  ok(await scene.plan(create))
  await scene.putFiles(topic, 0, [13, 18], { origin: 13 }, 7)
  refused(await scene.plan(create), 6, 'PLAN_FOREIGN', `r.${topic}-0`, 'lost the records from 13 on')
})
