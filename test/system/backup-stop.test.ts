import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { Cli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { freePorts } from '../helpers/ports.ts'
import { openBucket, s3Environment } from '../helpers/shared-s3.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 3
const records = 3_000
const patient = '--max-file-age=1h'

/** Of a worker's metrics page: records that it has taken from Kafka. */
async function recordsTaken(port: number): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const values = [...page.matchAll(/^maxbrod_backup_records_total\{.*\} ([0-9]+)$/gm)].map(([, value]) => Number(value))
  return values.reduce((sum, value) => sum + value, 0)
}

for (const [what, flags, isKept] of [
  ['without --flush-on-stop, small files are left to the next worker', [], false],
  ['with --flush-on-stop, everything that was read is uploaded', ['--flush-on-stop'], true],
] as const) {
  test(`SIGTERM drains a worker, which ends with exit 0; ${what}`, async t => {
    await using world = await openWorld(t)
    const topic = world.name('orders')
    await world.referee.createTopic(topic, { partitions })
    await world.referee.generate(topic, { partitions, records })
    const backup = new BackupRun({ world, topics: [topic] })
    const [port = 0] = await freePorts(1)
    const worker = new Cli(backup.argv('worker', patient, `--metrics-port=${port}`, ...flags))
    try {
      await eventually('all was read', async () => (await recordsTaken(port)) === records)
      worker.process.kill('SIGTERM')
      const { exit } = await worker.result
      assert.equal(exit, 0, worker.output)
    } finally {
      worker.process.kill('SIGKILL')
    }
    assertNoAlarm(worker.output)
    assert.equal(logged(worker.output, 'uploaded').length, isKept ? partitions : 0)
    if (isKept) {
      await backup.assertSame(topic)
      const committed = await world.referee.groupOffsets(backup.group)
      const ends = (await world.referee.offsets(topic)).map(({ end }) => end)
      assert.deepEqual(
        committed.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset),
        ends,
      )
    } else assert.deepEqual(await backup.stored(topic), [])
    const { json } = await backup.onceOk()
    assert.equal(json['records'], isKept ? 0 : records)
    await backup.assertSame(topic)
  })
}

test('a first SIGTERM waits for the upload in hand, a second one stops at once', async t => {
  await using world = await openWorld(t)
  await using s3 = await S3Proxy.start()
  await using bucket = await openBucket(s3.endpoint, s3.credentials)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  const backup = new BackupRun({ world, topics: [topic] })
  const store = [`--storage=${bucket.url()}`, `--s3-endpoint=${s3.endpoint}`]
  const note = `store.put~${topic}/:before:1:note`
  const argv = backup.argv('worker', '--max-file-age=100ms').filter(flag => !flag.startsWith('--storage='))
  const worker = new FaultyCli([...argv, ...store], [note], { env: s3Environment(s3) })
  try {
    await eventually('it works', () => begun(worker.output).length === 1)
    s3.pause()
    await world.referee.generate(topic, { partitions: 1, records })
    await worker.happened(note)
    worker.process.kill('SIGTERM')
    await eventually('it is stopping', () => logged(worker.output, stopping).length === 1)
    // Longer than one takes to end that has nothing to upload.
    const idle = new Cli(backup.argv('idle', patient))
    await eventually('the other one works', () => logged(idle.output, 'joined the group').length > 0)
    idle.process.kill('SIGTERM')
    assert.equal((await idle.result).exit, 0, idle.output)
    assert.equal(worker.process.exitCode, null)

    worker.process.kill('SIGTERM')
    // The store would be waited for a minute.
    await eventually('it is gone', () => worker.process.exitCode !== null, { timeoutMs: 45_000 })
    assert.equal((await worker.result).exit, 0, worker.output)
  } finally {
    worker.process.kill('SIGKILL')
    s3.resume()
  }
  assert.equal(logged(worker.output, 'stopping at once').length, 1)
  assert.equal(logged(worker.output, 'uploaded').length, 0)
})

const stopping = 'stopping: what is in hand is finished first; a second signal stops at once'

test('a second SIGTERM ends a worker even while a call hangs that hears no signal', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 100 })
  const backup = new BackupRun({ world, topics: [topic] })
  const fault = `store.put~${topic}/:before:1:hang`
  const worker = new FaultyCli(backup.argv('worker', '--max-file-age=100ms'), [fault])
  try {
    await worker.happened(fault)
    worker.process.kill('SIGTERM')
    await eventually('it is stopping', () => logged(worker.output, stopping).length === 1)
    worker.process.kill('SIGTERM')
    await eventually('it ends', () => worker.process.exitCode !== null)
  } finally {
    worker.process.kill('SIGKILL')
  }
})
