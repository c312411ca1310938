import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { logged } from '../helpers/log-lines.ts'
import { objectsIn, partitionsOf, readBackup } from '../helpers/stored-backup.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

interface Row {
  readonly topic: string
  readonly partition: number
  readonly committed?: number
  readonly becomes: { readonly kind: string; readonly to?: number; readonly reason?: string }
}

function openScene(world: World) {
  const topics = `--topics=(orders|later)-${world.name('x')}`
  const group = world.name('group')
  const common = [topics, `--group-id=${group}`, `--bootstrap-server=${world.bootstrap}`]
  const storage = `--storage=file://${world.folder}/backup`
  const store = openDirectoryStore(`${world.folder}/backup`)
  const worker = [...common, storage, `--working-dir=${world.folder}/work`, '--session-timeout=6s']
  const noPorts = ['--metrics-port=0', '--flush-port=0']
  return {
    group,
    store,
    orders: `orders-${world.name('x')}`,
    later: `later-${world.name('x')}`,
    once: () => runCommand(['backup', '--once', ...worker, ...noPorts]),
    start: () => startCommand(['backup', ...worker, ...noPorts]),
    reset: (...flags: string[]) => runCommand(['reset', ...common, storage, ...flags]),
    resetElsewhere: () =>
      runCommand(['reset', ...common, `--storage=file://${world.folder}/elsewhere`, '--to=beginning', '--confirm']),
    rowsOf: (json: Record<string, unknown>) =>
      (json['partitions'] as Row[]).map(({ partition, committed, becomes }) => [
        partition,
        committed,
        becomes.kind,
        becomes.to,
      ]),
    spans: async (topic: string) =>
      partitionsOf(await readBackup(store), topic).map(({ from, to, records }) => [from, to, records.length]),
  }
}

test('a backup begins where a reset says, at a time or an offset, within what Kafka has', async t => {
  await using world = await openWorld(t)
  const { orders, reset, once, spans, rowsOf, store, group } = openScene(world)
  const startMs = Date.UTC(2026, 0, 1)
  await world.referee.createTopic(orders, { partitions: 2 })
  const records = Array.from({ length: 200 }, (_, n) => ({
    partition: n % 2,
    timestamp: startMs + Math.floor(n / 2) * 1_000,
    value: `${n}`,
  }))
  await world.referee.produce(orders, records)
  await world.referee.deleteRecords(orders, 1, 70)

  const dry = await reset('--to=2026-01-01T00:01:00Z')
  assert.deepEqual([dry.exit, dry.json['isDone']], [0, false])
  assert.deepEqual(rowsOf(dry.json), [
    [0, undefined, 'move', 60],
    [1, undefined, 'move', 70],
  ])
  assert.deepEqual(await world.referee.groupOffsets(group), [], 'without --confirm nothing is committed')
  assert.equal((await objectsIn(store)).size, 0)

  const done = await reset('--to=2026-01-01T00:01:00Z', '--confirm')
  assert.equal(done.exit, 0, done.stderr)
  assert.equal(done.json['isDone'], true)
  const again = await reset('--to=2026-01-01T00:01:00Z', '--confirm')
  assert.deepEqual(rowsOf(again.json), [
    [0, 60, 'there already', 60],
    [1, 70, 'there already', 70],
  ])
  assert.deepEqual(rowsOf((await reset('--to=50')).json), [
    [0, 60, 'move', 50],
    [1, 70, 'there already', 70],
  ])
  const behind = await reset('--to=2027-01-01')
  assert.deepEqual(rowsOf(behind.json), [
    [0, 60, 'move', 100],
    [1, 70, 'move', 100],
  ])

  const backup = await once()
  assert.equal(backup.exit, 0, backup.stderr)
  assert.deepEqual(backup.json['gaps'], [])
  assert.deepEqual(await spans(orders), [
    [60, 100, 40],
    [70, 100, 30],
  ])
})

test('what has files stays where it is: a reset moves other partitions only, and nothing is stored twice', async t => {
  await using world = await openWorld(t)
  const { orders, later, reset, once, spans, rowsOf, store, group } = openScene(world)
  await world.referee.createTopic(orders, { partitions: 1 })
  await world.referee.generate(orders, { partitions: 1, records: 100 })
  assert.equal((await once()).exit, 0)
  await world.referee.createTopic(later, { partitions: 1 })
  await world.referee.generate(later, { partitions: 1, records: 100 })
  const before = await objectsIn(store)

  for (const to of ['beginning', '40']) {
    const { exit, json, stderr } = await reset(`--to=${to}`, '--confirm')
    assert.equal(exit, 0, stderr)
    const rows = rowsOf(json)
    assert.deepEqual(rows[1], [0, 100, 'has files', undefined])
    assert.deepEqual(rows[0]!.slice(2), ['move', to === '40' ? 40 : 0])
  }
  await world.referee.generate(orders, { partitions: 1, records: 50 })
  assert.equal((await once()).exit, 0)
  assert.deepEqual([await spans(orders), await spans(later)], [[[0, 150, 150]], [[40, 100, 60]]])
  for (const [key, content] of before) assert.equal((await objectsIn(store)).get(key), content, `${key} was changed`)

  await world.referee.deleteGroup(group)
  assert.deepEqual(rowsOf((await reset('--to=beginning', '--confirm')).json), [
    [0, undefined, 'has files', undefined],
    [0, undefined, 'has files', undefined],
  ])
})

test('a group with members is refused by name, by the broker, and keeps its offsets', async t => {
  await using world = await openWorld(t)
  const { orders, reset, start, group } = openScene(world)
  await world.referee.createTopic(orders, { partitions: 2 })
  const worker = start()
  await eventually('the worker is at work', () => logged(worker.output(), 'backing up').length === 2)
  await eventually('it has committed', async () => (await world.referee.groupOffsets(group)).length === 2)
  await world.referee.generate(orders, { partitions: 2, records: 100 })
  const before = await world.referee.groupOffsets(group)
  const refused = await reset('--to=30', '--confirm')
  assert.equal(refused.exit, 6, refused.stderr)
  assert.match(refused.stderr, new RegExp(`GROUP_ACTIVE.*${group}`))
  assert.deepEqual(await world.referee.groupOffsets(group), before)
  worker.signal('SIGTERM')
  assert.equal((await worker.result).exit, 0)
})

test('a group that belongs to another archive is not reset', async t => {
  await using world = await openWorld(t)
  const { orders, resetElsewhere, once } = openScene(world)
  await world.referee.createTopic(orders, { partitions: 1 })
  assert.equal((await once()).exit, 0)
  const elsewhere = await resetElsewhere()
  assert.equal(elsewhere.exit, 6, elsewhere.stderr)
  assert.match(elsewhere.stderr, /FOREIGN_ARCHIVE/)
})
