import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstIncarnationKey } from '../../src/format/system-keys.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { putTile } from '../helpers/put-tile.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

/** Of each target partition, what its records say of their source: offset and first bytes of the value. */
async function restored(scene: RestoreScene, topic: string): Promise<string[][]> {
  ok(await scene.restore(['--verify=full']))
  const found = await scene.world.referee.records(topic, { restored: true })
  const partitions = Math.max(...found.map(({ partition = 0 }) => partition)) + 1
  return Array.from({ length: partitions }, (_, n) =>
    found.filter(({ partition }) => partition === n).map(({ sourceOffset }) => `${sourceOffset}`),
  )
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `${from + n}`)
}

test('--partition-map modulo: the sources of one target partition follow each other, and later files their own', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const [topic, target] = [scene.world.name('orders'), scene.world.name('target')]
  for (const partition of [0, 1, 2, 3, 4]) await scene.putFiles(topic, partition, [0, 3, 4 + partition])
  await referee.createTopic(target, { partitions: 2 })
  const naming = [`--rename=${topic}=${target}`]
  refused(await scene.plan(naming), 6, 'TARGET_PARTITIONS', `${target} has 2 partitions where its source has 5`)
  const flags = [...naming, '--partition-map=modulo']
  const first = ok(await scene.plan(flags))
  assert.equal(first.json['filesAdded'], 10)
  const even = [...range(0, 4), ...range(0, 6), ...range(0, 8)]
  const odd = [...range(0, 5), ...range(0, 7)]
  assert.deepEqual(await restored(scene, target), [even, odd])

  await scene.putFiles(topic, 0, [4, 9])
  await scene.putFiles(topic, 4, [8, 10])
  await scene.putFiles(topic, 6, [0, 2])
  // The same by the switch of kafka-backup.
  assert.equal(ok(await scene.plan([...naming, '--ignore-partitions'])).json['filesAdded'], 3)
  assert.equal(ok(await scene.plan(flags)).json['filesAdded'], 0)
  const later = [...even, ...range(4, 9), ...range(8, 10), ...range(0, 2)]
  assert.deepEqual(await restored(scene, target), [later, odd])
  refused(await scene.plan(naming), 6, 'PLAN_FOREIGN', 'other target names')
})

test('a topic that was created again: the command ends and lists its incarnations; one is restored by its id, or all in order', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const [first, second] = ['Hx3y8Ra6RBe9-hFQXtB2Kg', 'AAAAAAAAAAAAAAAAAAAAAA']
  const claim = bodyOf(Buffer.from(JSON.stringify({ topicId: first })))
  await scene.store.put(firstIncarnationKey(topic), claim, {})
  await scene.putFiles(topic, 0, [0, 3, 5])
  const add = (from: number, to: number) =>
    putTile(scene.store, { topic, topicId: second, partition: 0, lineage: undefined }, { from, to }, [
      plainRecords(to - from, from),
    ])
  await add(0, 7)
  const flags = ['--create-topics', '--target-prefix=r.']
  const listed = await scene.plan(flags)
  refused(
    listed,
    4,
    'INCARNATIONS',
    `topic ids ${first} in ${topic}/, ${second} in ${topic}@${second}/`,
    '--incarnation',
  )
  refused(await scene.plan([...flags, '--incarnation=BBBBBBBBBBBBBBBBBBBBBA']), 4, 'INCARNATIONS', first, second)
  const idOf = async (incarnation: string) => {
    const result = ok(await scene.plan([...flags, `--incarnation=${incarnation}`, '--dry-run']))
    return (result.json['topics'] as { topicId: string; records: number }[]).map(one => [one.topicId, one.records])
  }
  assert.deepEqual(await idOf(first), [[first, 5]])
  assert.deepEqual(await idOf(second), [[second, 7]])
  assert.deepEqual(await idOf('newest'), [[second, 7]])
  const all = [...flags, '--incarnation=all']
  ok(await scene.plan(all))
  assert.deepEqual(await restored(scene, `r.${topic}`), [[...range(0, 5), ...range(0, 7)]])

  await add(7, 9)
  assert.equal(ok(await scene.plan(all)).json['filesAdded'], 1)
  assert.deepEqual(await restored(scene, `r.${topic}`), [[...range(0, 5), ...range(0, 9)]])
  await scene.putFiles(topic, 0, [5, 6])
  refused(await scene.plan(all), 6, 'PLAN_FOREIGN', `r.${topic}-0 is planned with files of a later incarnation`)
})
