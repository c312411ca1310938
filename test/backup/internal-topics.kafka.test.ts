import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../helpers/in-process.ts'
import { openWorld } from '../helpers/world.ts'

test('internal topics are backed up when asked for, byte for byte, and are no targets', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 1 })
  await world.referee.generate(topic, { partitions: 1, records: 10 })
  const cluster = `--bootstrap-server=${world.bootstrap}`
  const storage = `--storage=file://${world.folder}/backup`
  const plan = `--plan-topic=${world.name('plan')}`
  const backup = (name: string, ...flags: string[]) =>
    runCommand([
      'backup',
      '--once',
      `--topics=${topic}|__consumer_offsets`,
      `--group-id=${world.name(name)}`,
      `--working-dir=${world.folder}/${name}`,
      '--metrics-port=0',
      storage,
      cluster,
      ...flags,
    ])
  const topicsIn = (json: Record<string, unknown>) =>
    new Set((json['partitions'] as { topic: string }[]).map(one => one.topic))

  const without = await backup('without')
  assert.deepEqual(topicsIn(without.json), new Set([topic]))
  const including = await backup('with', '--include-internal')
  assert.equal(including.exit, 0, including.stderr)
  assert.ok(topicsIn(including.json).has('__consumer_offsets'))

  const only = ['--topics=__consumer_offsets', '--create-topics', plan, storage, cluster]
  const refused = await runCommand(['plan', ...only])
  assert.equal(refused.exit, 2)
  assert.match(refused.stderr, /would be restored into __consumer_offsets, a name of Kafka’s own topics/)
  const copy = world.name('offsets')
  const planned = await runCommand(['plan', ...only, `--rename=__consumer_offsets=${copy}`])
  assert.equal(planned.exit, 0, planned.stderr)
  const restored = await runCommand([
    'restore',
    '--exit-when-done',
    '--metrics-port=0',
    '--session-timeout=6s',
    plan,
    storage,
    cluster,
  ])
  assert.equal(restored.exit, 0, restored.stderr)
  let compared = 0
  for (const { partition, records, digest } of await world.referee.read(copy, { restored: true })) {
    if (records === 0) continue
    const source = await world.referee.records('__consumer_offsets', { partitions: [partition] })
    const restoredRecords = await world.referee.records(copy, { partitions: [partition] })
    assert.equal(restoredRecords.length, records, digest)
    // The group of this very backup has gone on committing: only what was there then is compared.
    for (const [n, record] of restoredRecords.entries()) {
      assert.deepEqual(
        [record.key, record.value, record.timestamp],
        [source[n]!.key, source[n]!.value, source[n]!.timestamp],
      )
      compared++
    }
  }
  assert.ok(compared > 0)
})
