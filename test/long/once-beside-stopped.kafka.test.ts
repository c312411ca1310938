import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tileKey } from '../../src/format/keys.ts'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { logLines } from '../helpers/log-lines.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 4
/** More than may move to another worker. */
const taken = [0, 1, 2]

test('--once beside a worker that cannot go on with a partition names it and ends, when all the rest is backed up', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions })
  await world.referee.generate(topic, { partitions, records: 400 })
  const backup = new BackupRun({ world, topics: [topic] })
  const worker = backup.start('worker', ['--max-file-age=200ms'])
  await using _ = {
    async [Symbol.asyncDispose]() {
      worker.signal('SIGTERM')
      await worker.result
    },
  }
  await backup.reachesEnds(topic)
  const before = await backup.stored(topic)
  for (const partition of taken) {
    const place = { topic, topicId: undefined, partition, lineage: undefined }
    await backup.store.put(tileKey(place, before[partition]!.to), bodyOf('no file of ours'), {})
  }
  await world.referee.generate(topic, { partitions, records: 400, seed: 2 })
  const stopped = () =>
    logLines(worker.output()).filter(({ message }) => message.includes('cannot be backed up any further'))
  await eventually('three partitions have stopped', () => stopped().length >= taken.length)

  const once = await backup.start('another', ['--once']).result
  assert.equal(once.exit, 3, once.stderr)
  const named = once.json['stopped'] as { partition: number; code: string; message: string }[]
  assert.deepEqual(
    named.map(({ partition }) => partition).toSorted((a, b) => a - b),
    taken,
  )
  const elsewhere = named.filter(({ code }) => code === 'PARTIAL')
  assert.ok(elsewhere.length > 0, 'none of them stayed where it had stopped')
  for (const { message } of elsewhere) assert.match(message, /another worker .* cannot go on with it \(TILE_CONFLICT\)/)

  // Who is started again when that is mended says nothing of it any more.
  worker.signal('SIGTERM')
  await worker.result
  for (const partition of taken) {
    const place = { topic, topicId: undefined, partition, lineage: undefined }
    await backup.store.delete(tileKey(place, before[partition]!.to))
  }
  for await (const { key } of backup.store.list('@conflicts/')) await backup.store.delete(key)
  await backup.onceOk()
  await backup.assertSame(topic)
  assert.equal(begun(worker.output()).length, partitions)
})

test('--once beside a worker that could not even begin with a partition names it and ends', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions })
  await world.referee.generate(topic, { partitions, records: 400 })
  const backup = new BackupRun({ world, topics: [topic] })
  for (const partition of taken) {
    const place = { topic, topicId: undefined, partition, lineage: undefined }
    await backup.store.put(tileKey(place, 0), bodyOf('no file of ours'), {})
  }
  const worker = backup.start('worker', ['--max-file-age=200ms'])
  await using _ = {
    async [Symbol.asyncDispose]() {
      worker.signal('SIGTERM')
      await worker.result
    },
  }
  const stopped = () =>
    logLines(worker.output()).filter(({ message }) => message.includes('cannot be backed up any further'))
  await eventually('three partitions have stopped', () => stopped().length >= taken.length)
  const once = await backup.start('another', ['--once']).result
  assert.equal(once.exit, 3, once.stderr)
  const named = once.json['stopped'] as { partition: number; code: string; message: string }[]
  assert.deepEqual(
    named.map(({ partition }) => partition).toSorted((a, b) => a - b),
    taken,
  )
  assert.ok(
    named.some(({ code }) => code === 'PARTIAL'),
    'none of them stayed where it had stopped',
  )
})
