import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { FetchedBytes } from '../helpers/fetched-bytes.ts'
import type { RunningCommand } from '../helpers/in-process.ts'
import { assertNoAlarm } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 6
const maxFileBytes = 512 * 1024
/** Beside what is buffered, a worker has an answer in hand and one on its way: of 1.5 MiB each with so little memory. */
const onTheWayBytes = 2 * 1.5 * 1024 * 1024
/** A worker lost half of its partitions, twice; one left; and at last two. */
const givers = 5
const flags = [
  '--min-file-size=256KiB',
  '--max-file-size=512KiB',
  '--max-file-age=1h',
  '--memory=16MiB',
  '--max-rate=2MiB',
]

test('workers that come and go have at most two files of each partition read again each time', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions })
  // Values that do not compress: bytes in Kafka are bytes in files.
  const shape = { partitions, valueBytes: [8_000, 12_000] as [number, number], batchBytes: 64 * 1024 }
  await world.referee.generate(topic, { ...shape, records: 6_000 })
  const backup = new BackupRun({ world, topics: [topic] })
  const fetched = new FetchedBytes()
  const workers: RunningCommand[] = []
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => {
    for (const worker of workers) worker.signal('SIGTERM')
    for (const { result } of workers) await result
  })
  const start = (name: string) => {
    const worker = backup.start(name, flags, fetched.ports)
    workers.push(worker)
    return worker
  }
  const begins = () => workers.flatMap(worker => begun(worker.output()))
  const moves = () => begins().length - partitions

  const first = start('first')
  await eventually('the first worker has all of them', () => begins().length === partitions)
  await eventually('it is in the middle of its files', () => fetched.bytes > 2_000_000)
  const second = start('second')
  await eventually('half of them moved', () => moves() >= 3, { timeoutMs: 60_000 })
  const half = fetched.bytes
  await eventually('both are in the middle of files', () => fetched.bytes > half + 2_000_000, { timeoutMs: 60_000 })
  second.signal('SIGTERM')
  assert.equal((await second.result).exit, 0)
  await eventually('they came back', () => moves() >= 6, { timeoutMs: 60_000 })
  const third = start('third')
  await eventually('others moved on', () => moves() >= 9, { timeoutMs: 60_000 })

  for (const worker of [first, third]) {
    worker.signal('SIGTERM')
    assertNoAlarm((await worker.result).stderr)
  }
  const last = await backup.start('fourth', ['--once', ...flags.slice(0, -1)], fetched.ports).result
  assert.equal(last.exit, 0, last.stderr)
  await backup.assertSame(topic)

  const alone = new FetchedBytes()
  const other = new BackupRun({ world, topics: [topic], group: world.name('other'), store: 'other' })
  assert.equal((await other.once([], alone.ports)).exit, 0)
  const again = fetched.bytes - alone.bytes
  const moved = begins().length + begun(last.stderr).length - partitions
  t.diagnostic(`${again} bytes of ${alone.bytes} were read again, ${moved} partitions moved`)
  assert.ok(alone.bytes > 55_000_000, 'too little to tell')
  const bound = moved * 2 * maxFileBytes + givers * onTheWayBytes
  assert.ok(again <= bound, `${again} bytes were read again, ${bound} were to be expected`)
})
