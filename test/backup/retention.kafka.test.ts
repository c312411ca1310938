import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AtFetch } from '../helpers/at-fetch.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'

const lost = 'Kafka no longer has offsets that were not backed up: declaring a gap'

test('retention that passed a backup is exactly that declared gap: partial, exit 3, named in the log, and told once', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 2 })
  await world.referee.generate(topic, { partitions: 2, records: 1_000 })
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.onceOk()
  const [ends] = await world.referee.offsets(topic)
  const from = Number(ends!.end)
  await world.referee.generate(topic, { partitions: 2, records: 1_000, seed: 2 })
  await world.referee.deleteRecords(topic, 0, from + 100)

  const { exit, json, stderr } = await backup.once()
  assert.equal(exit, 3, stderr)
  const gap = { from, to: from + 100, reason: 'retention' }
  assert.equal(json['result'], 'partial')
  assert.deepEqual(json['gaps'], [{ topic, partition: 0, ...gap }])
  assert.deepEqual(json['stopped'], [])
  assert.deepEqual(
    logged(stderr, lost).map(line => [line.level, line['topic'], line['partition'], line['from'], line['to']]),
    [['error', topic, 0, gap.from, gap.to]],
  )
  const stored = await backup.stored(topic)
  assert.deepEqual(
    stored.map(({ gaps }) => gaps),
    [[gap], []],
  )
  // All that Kafka has is in the files, and all that the first backup took.
  const kept = await world.referee.read(topic)
  const offsetsFrom = (start: number, n: number) => stored[n]!.records.filter(({ offset }) => offset >= start).length
  assert.equal(offsetsFrom(from + 100, 0), kept[0]!.records)
  assert.equal(stored[0]!.records.length, from + kept[0]!.records)

  const again = await backup.onceOk()
  assertNoAlarm(again.stderr)
  assert.deepEqual(again.json['gaps'], [])
  assert.deepEqual((await backup.stored(topic))[0]!.gaps, [gap])
})

test('retention that passes a worker while it reads is a declared gap, and what it had read before is kept', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  const [records, left] = [40_000, 39_900]
  await world.referee.generate(topic, { partitions: 1, records })
  const backup = new BackupRun({ world, topics: [topic] })
  const deletion = new AtFetch(3, () => world.referee.deleteRecords(topic, 0, left))
  const { exit, json, stderr } = await backup.once(['--memory=16MiB'], deletion.ports)
  assert.equal(exit, 3, stderr)
  const [stored] = await backup.stored(topic)
  const [gap, ...more] = stored!.gaps
  assert.deepEqual(more, [])
  assert.ok(gap !== undefined && gap.from > 0 && gap.from < left)
  assert.equal(gap.to, left)
  assert.deepEqual(json['gaps'], [{ topic, partition: 0, ...gap }])
  const wanted = Array.from({ length: records }, (_, n) => n).filter(n => n < gap.from || n >= left)
  assert.deepEqual(
    stored!.records.map(({ offset }) => Number(offset)),
    wanted,
  )
  assert.equal(logged(stderr, lost).length, 1)
})

test('a partition whose whole log is gone is a gap up to its end', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 100 })
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.onceOk()
  await world.referee.generate(topic, { partitions: 1, records: 50, seed: 2 })
  await world.referee.deleteRecords(topic, 0, 150)
  const { exit, json, stderr } = await backup.once()
  assert.equal(exit, 3, stderr)
  assert.deepEqual(json['gaps'], [{ topic, partition: 0, from: 100, to: 150, reason: 'retention' }])
  const [stored] = await backup.stored(topic)
  assert.deepEqual([stored!.to, stored!.records.length], [150, 100])
  await backup.onceOk()
})

test('a log that began later than its first offset is no loss: the backup begins where it does', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 100 })
  await world.referee.deleteRecords(topic, 0, 40)
  const backup = new BackupRun({ world, topics: [topic] })
  const { json, stderr } = await backup.onceOk()
  assertNoAlarm(stderr)
  assert.deepEqual(json['gaps'], [])
  const [stored] = await backup.stored(topic)
  assert.deepEqual([stored!.from, stored!.to, stored!.gaps], [40, 100, []])
})

test('what lies behind an open transaction is listed, with exit 0, and comes with the next backup once it ended', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  const records = (count: number) => Array.from({ length: count }, (_, n) => ({ partition: 0, value: `v${n}` }))
  await world.referee.produce(topic, records(7))
  const open = await world.referee.openProducer('open', { transactionalId: world.name('open'), timeoutMs: 600_000 })
  await open.begin()
  await open.send(topic, records(3))
  await world.referee.produce(topic, records(2))
  const backup = new BackupRun({ world, topics: [topic] })

  const first = await backup.onceOk()
  assertNoAlarm(first.stderr)
  assert.deepEqual(first.json['behindOpenTransaction'], [{ topic, partition: 0, records: 5 }])
  assert.equal((await backup.stored(topic))[0]!.to, 7)

  await open.commit()
  await world.referee.awaitStable(topic)
  const second = await backup.onceOk()
  await open.close()
  assert.deepEqual(second.json['behindOpenTransaction'], [])
  assert.equal((await backup.stored(topic))[0]!.records.length, 12)
  await backup.assertSame(topic)
})
