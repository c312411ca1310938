import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { logged } from '../helpers/log-lines.ts'
import type { RecordToSend } from '../helpers/records.ts'
import { RoundTrip } from '../helpers/round-trip.ts'
import { openWorld } from '../helpers/world.ts'

const originals: readonly (RecordToSend & { readonly timestamp: number })[] = Array.from({ length: 40 }, (_, n) => ({
  timestamp: 1_700_000_000_000 + n,
  key: n % 2 === 0 ? null : `${n}`,
  value: `value ${n}`,
  headers: [
    ['a', '1'],
    ['b', null],
  ],
}))

/** Which record somebody changes, and how. It has no key. */
const changed = 22
const changes: Readonly<Record<string, Partial<RecordToSend>>> = {
  'another byte in a value': { value: 'value 2!' },
  'a value that is gone': { value: null },
  'an empty key where there was none': { key: '' },
  'another time': { timestamp: 1_700_000_000_024 },
  'an empty header where there was a null': {
    headers: [
      ['a', '1'],
      ['b', ''],
    ],
  },
  'headers in another order': {
    headers: [
      ['b', null],
      ['a', '1'],
    ],
  },
  'another header name': {
    headers: [
      ['A', '1'],
      ['b', null],
    ],
  },
  'one header less': { headers: [['a', '1']] },
}

test('a full verification passes what was restored, and names the record that anybody changed', async t => {
  await using world = await openWorld(t)
  const source = world.name('source')
  await world.referee.createTopic(source)
  await world.referee.produce(source, originals)
  const good = new RoundTrip(world)
  await good.backUp([source])
  await good.plan()
  await good.restore('--verify=full')

  for (const [n, [what, change]] of Object.entries(changes).entries()) {
    await t.test(what, async () => {
      const target = world.name(`changed-${n}`)
      const roundTrip = new RoundTrip(world, { name: `plan-${n}` })
      await roundTrip.plan(`--rename=${source}=${target}`)
      const records = originals.map((record, at) => asRestored(at === changed ? { ...record, ...change } : record, at))
      await world.referee.produce(target, records)
      // Complete, by its count and its last record: nothing is left to be restored.
      const { exit, stderr } = await runCommand(roundTrip.restoreCommand('--verify=full'))
      assert.equal(exit, 6, stderr)
      assert.match(stderr, new RegExp(`TARGET_SPOILED: ${target}-0 differs from the archive at offset ${changed}`))
    })
  }
})

test('an executor that goes on verifies what is complete as well, and ends at a record that is another one', async t => {
  await using world = await openWorld(t)
  const source = world.name('source')
  await world.referee.createTopic(source)
  await world.referee.produce(source, originals)
  // Between two looks a quarter of a minute passes at once.
  const hurried = (real: Ports): Ports => ({
    ...real,
    clock: { ...real.clock, sleep: (ms, signal) => real.clock.sleep(ms === 15_000 ? 100 : ms, signal) },
  })
  const goingOn = (roundTrip: RoundTrip) =>
    startCommand(
      roundTrip.restoreCommand('--verify=full').filter(flag => flag !== '--exit-when-done'),
      hurried,
    )
  const good = new RoundTrip(world)
  await good.backUp([source])
  await good.plan()
  const executor = goingOn(good)
  await eventually('it has verified', () => logged(executor.output(), 'verified').length > 0)
  executor.signal('SIGTERM')
  assert.equal((await executor.result).exit, 0)
  assert.equal(logged(executor.output(), 'verified').length, 1, 'once is enough')

  const target = world.name('changed')
  const bad = new RoundTrip(world, { name: 'plan-bad' })
  await bad.plan(`--rename=${source}=${target}`)
  const records = originals.map((record, at) => asRestored(at === changed ? { ...record, value: 'x' } : record, at))
  await world.referee.produce(target, records)
  const { exit, stderr } = await goingOn(bad).result
  assert.equal(exit, 6, stderr)
  assert.match(stderr, new RegExp(`TARGET_SPOILED: ${target}-0 differs from the archive at offset ${changed}`))
})

/** As a restore would write it. */
function asRestored(record: RecordToSend, offset: number): RecordToSend {
  return { ...record, headers: [...(record.headers ?? []), ['restore.source-offset', `${offset}`]] }
}
