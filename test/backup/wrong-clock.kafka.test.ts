import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { assertNoAlarm } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'

const hourMs = 3_600_000
const yearMs = 365 * 24 * hourMs

test('a clock that is an hour or ten years wrong changes neither the names of files nor what is in them', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 3 })
  await world.referee.generate(topic, { partitions: 3, records: 900 })
  const names: string[][] = []
  for (const wrongMs of [0, -hourMs, hourMs, -10 * yearMs, 10 * yearMs]) {
    const backup = new BackupRun({
      world,
      topics: [topic],
      group: world.name(`g${wrongMs}`),
      store: `backup${wrongMs}`,
    })
    let asked = 0
    const wrong = (real: Ports): Ports => {
      const now = () => ((asked += 1), real.clock.now() + wrongMs)
      return {
        ...real,
        clock: new Proxy(real.clock, { get: (clock, key) => (key === 'now' ? now : bound(clock, key)) }),
      }
    }
    const { exit, stderr } = await backup.once(['--max-file-records=100'], wrong)
    assert.equal(exit, 0, stderr)
    assertNoAlarm(stderr)
    assert.ok(asked > 0)
    await backup.assertSame(topic)
    names.push((await backup.stored(topic)).flatMap(({ files }) => files.map(({ key }) => key)))
  }
  for (const other of names) assert.deepEqual(other, names[0])
})

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target)
  return typeof value === 'function' ? value.bind(target) : value
}
