import assert from 'node:assert/strict'
import { open, readdir, stat, truncate } from 'node:fs/promises'
import { test } from 'node:test'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { Cli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { FetchedBytes } from '../helpers/fetched-bytes.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { runCommand } from '../helpers/in-process.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { freePorts } from '../helpers/ports.ts'
import { objectsIn } from '../helpers/stored-backup.ts'
import { spooledFiles } from '../helpers/spooled-files.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 3
const records = 3_000
/** Nothing is uploaded by itself, and the spool gets what was read soon. */
const patient = ['--max-file-age=1h', '--min-file-size=1GiB', '--idle-after=100ms']

async function openTopic(world: World): Promise<{ topic: string; backup: BackupRun }> {
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions })
  await world.referee.generate(topic, { partitions, records })
  return { topic, backup: new BackupRun({ world, topics: [topic] }) }
}

const spooledRecords = async (world: World) =>
  (await spooledFiles(`${world.folder}/worker`)).reduce((sum, file) => sum + file.records, 0)

/** Ends by SIGKILL once all is in the spool. */
async function fillSpool(world: World, backup: BackupRun): Promise<void> {
  const worker = new Cli(backup.argv('worker', ...patient))
  try {
    await eventually('all is in the spool', async () => (await spooledRecords(world)) === records)
  } finally {
    worker.process.kill('SIGKILL')
  }
  assert.equal((await worker.result).exit, 'SIGKILL')
  assert.equal(logged(worker.output, 'uploaded').length, 0)
}

/** A worker with the same folder brings the whole topic into the store; with the bytes that it fetched for that. */
async function finish(backup: BackupRun, wantedExit = 0): Promise<{ bytes: number; result: CommandResult }> {
  const fetched = new FetchedBytes()
  const result = await backup.start('worker', ['--once'], fetched.ports).result
  assert.equal(result.exit, wantedExit, result.stderr)
  return { bytes: fetched.bytes, result }
}

async function recordsTaken(port: number): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const values = [...page.matchAll(/^maxbrod_backup_records_total\{.*\} ([0-9]+)$/gm)].map(([, value]) => Number(value))
  return values.reduce((sum, value) => sum + value, 0)
}

test('a worker that was killed reads nothing again that its spool holds', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world)
  await fillSpool(world, backup)
  const { bytes, result } = await finish(backup)
  assert.equal(bytes, 0)
  assertNoAlarm(result.stderr)
  await backup.assertSame(topic)
  assert.deepEqual(await readdir(`${world.folder}/worker/spool`), [])
})

test('after SIGTERM nothing is read again, what was in memory included', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world)
  const [port = 0] = await freePorts(1)
  const first = new Cli(backup.argv('worker', '--max-file-age=1h', '--idle-after=1h', `--metrics-port=${port}`))
  try {
    await eventually('all was read', async () => (await recordsTaken(port)) === records)
    assert.equal(await spooledRecords(world), 0)
    first.process.kill('SIGTERM')
    assert.equal((await first.result).exit, 0, first.output)
  } finally {
    first.process.kill('SIGKILL')
  }
  assert.equal(await spooledRecords(world), records)
  assert.equal((await finish(backup)).bytes, 0)
  await backup.assertSame(topic)
})

test('a spool with torn tails and flipped bits costs another reading of what was behind them, and nothing else', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world)
  await fillSpool(world, backup)
  const [first, second, third] = await spooledFiles(`${world.folder}/worker`)
  const { size } = await stat(`${first!.path}.blocks`)
  await truncate(`${first!.path}.blocks`, size - 1)
  {
    await using file = await open(`${second!.path}.blocks`, 'r+')
    await file.write(Buffer.from([1, 2, 3]), 0, 3, 20)
  }
  const { bytes, result } = await finish(backup)
  assert.ok(bytes > 0)
  assertNoAlarm(result.stderr)
  const begins = begun(result.stderr).toSorted((a, b) => a.partition.localeCompare(b.partition))
  assert.ok(begins[0]!.position < first!.to && begins[1]!.position < second!.to)
  assert.equal(begins[2]!.position, third!.to)
  await backup.assertSame(topic)
})

for (const fault of [
  'disk.append~.blocks:before:3:kill',
  'disk.append~.notes:after:3:kill',
  'store.put~orders:after:1:kill',
  'disk.remove~.blocks:before:1:kill',
]) {
  test(`killed at ${fault}, a worker goes on with what its spool holds, each record once`, async t => {
    await using world = await openWorld(t)
    const { topic, backup } = await openTopic(world)
    const flags = ['--max-file-age=300ms', '--idle-after=100ms', '--max-rate=64KiB']
    const worker = new FaultyCli(backup.argv('worker', ...flags), [fault])
    try {
      assert.equal((await worker.result).exit, 'SIGKILL', worker.output)
    } finally {
      worker.process.kill('SIGKILL')
    }
    worker.assertAllFired()
    assertNoAlarm((await finish(backup)).result.stderr)
    await backup.assertSame(topic)
  })
}

test('what retention has passed and the spool holds is uploaded; only the rest is a gap', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records })
  const backup = new BackupRun({ world, topics: [topic] })
  await fillSpool(world, backup)
  await world.referee.generate(topic, { partitions: 1, records: 500, seed: 2 })
  await world.referee.deleteRecords(topic, 0, records + 200)
  const { json } = (await finish(backup, 3)).result
  assert.deepEqual(json['gaps'], [{ topic, partition: 0, from: records, to: records + 200, reason: 'retention' }])
  const [stored] = await backup.stored(topic)
  const offsets = stored!.records.map(({ offset }) => Number(offset))
  assert.deepEqual(
    [offsets.length, offsets[records - 1], offsets[records]],
    [records + 300, records - 1, records + 200],
  )
})

test('a partition that was given up and comes back is resumed where the spool ends', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world)
  const first = backup.start('worker', patient)
  const second = backup.start('second', patient)
  try {
    await eventually('both have partitions', () =>
      [first, second].every(({ output }) => logged(output(), 'backing up').length > 0),
    )
    // What the first one had, it may have had alone before.
    second.signal('SIGTERM')
    await second.result
    const isBack = () => logged(first.output(), 'backing up').filter(line => line['spooledFrom'] !== undefined)
    await eventually('a partition is back', () => isBack().length > 0 || spanAll(first.output()))
    await eventually('all is in the spool', async () => (await spooledRecords(world)) === records)
    first.signal('SIGTERM')
    assert.equal((await first.result).exit, 0)
  } finally {
    first.signal('SIGTERM')
    second.signal('SIGTERM')
  }
  assert.equal((await finish(backup)).bytes, 0)
  await backup.assertSame(topic)
})

/** True when the worker has begun with every partition. */
function spanAll(output: string): boolean {
  return new Set(logged(output, 'backing up').map(line => line['partition'])).size === partitions
}

const uploaded = 'Kafka cannot be reached: uploaded what the spool holds'

test('when Kafka cannot be reached, what the spool holds is uploaded before the worker gives up; the next one adopts it', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world)
  await fillSpool(world, backup)
  const { exit, stderr } = await runCommand(await withoutKafka(world, backup))
  assert.equal(exit, 5, stderr)
  assert.equal(logged(stderr, uploaded).length, partitions)
  await backup.assertSame(topic)
  assert.deepEqual(await readdir(`${world.folder}/worker/spool`), [])
  const next = await backup.onceOk()
  assertNoAlarm(next.stderr)
  assert.equal(next.json['records'], 0)
})

test('when Kafka cannot be reached, what does not continue the store is kept, and written over nothing', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world)
  await fillSpool(world, backup)
  await backup.onceOk() // somebody else backs it up meanwhile
  const before = await objectsIn(backup.store)
  const { exit, stderr } = await runCommand(await withoutKafka(world, backup))
  assert.equal(exit, 5)
  assert.deepEqual(logged(stderr, uploaded), [])
  assert.deepEqual(await objectsIn(backup.store), before)
  assert.equal(await spooledRecords(world), records)
  await backup.assertSame(topic)
})

/** The same worker, which is told of brokers that are not there. */
async function withoutKafka(world: World, backup: BackupRun): Promise<string[]> {
  const [nobody = 0] = await freePorts(1)
  return backup.argv('worker').map(flag => flag.replace(world.bootstrap, `127.0.0.1:${nobody}`))
}
