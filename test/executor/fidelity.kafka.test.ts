import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from '../helpers/world.ts'
import { runCommand } from '../helpers/in-process.ts'

test('smoke', async t => {
  await using world = await openWorld(t)
  const source = world.name('orders')
  await world.referee.createTopic(source, { partitions: 4 })
  await world.referee.generate(source, { partitions: 4, records: 20_000, headers: [0, 3] })
  const storage = `--storage=file://${world.folder}/backup`
  const common = [`--bootstrap-server=${world.bootstrap}`, storage]
  const plan = world.name('plan')
  const backup = await runCommand([
    'backup',
    '--once',
    '--topics',
    source,
    `--working-dir=${world.folder}/work`,
    `--group-id=${world.name('g')}`,
    '--metrics-port=0',
    ...common,
  ])
  assert.equal(backup.exit, 0, backup.stderr)
  const planned = await runCommand([
    'plan',
    '--create-topics',
    '--target-prefix=restored.',
    `--plan-topic=${plan}`,
    ...common,
  ])
  assert.equal(planned.exit, 0, planned.stderr)
  console.log(planned.stdout)
  const restored = await runCommand([
    'restore',
    '--exit-when-done',
    '--metrics-port=0',
    `--plan-topic=${plan}`,
    '--session-timeout=6s',
    ...common,
  ])
  assert.equal(restored.exit, 0, restored.stderr)
  console.log(restored.stdout)
  const a = await world.referee.read(source)
  const b = await world.referee.read(`restored.${source}`, { restored: true })
  assert.deepEqual(
    b.map(x => x.digest),
    a.map(x => x.digest),
  )
})
