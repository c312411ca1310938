import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { batchesIn } from '../../src/format/batch/record-batch.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { DamagedFetches } from '../helpers/damaged-fetches.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const message = 'a batch in Kafka is corrupt: declaring a gap'
const again = 'fetched a corrupt batch, fetching it again over a new connection'

/** So many batches of ten records. */
async function produceBatches({ referee }: Pick<World, 'referee'>, topic: string, batches: number) {
  for (let n = 0; n < batches; n++)
    await referee.produce(
      topic,
      Array.from({ length: 10 }, (_, of) => ({ partition: 0, value: `record ${n * 10 + of}` })),
      { settings: { 'linger.ms': 50 } },
    )
}

/** Flips a bit of the batch that begins at `baseOffset` in a log of a broker that does not run. */
async function damageSegment(kafka: Kafka, topic: string, baseOffset: number): Promise<number> {
  const path = `${kafka.brokers[0]!.folder}/data/${topic}-0/00000000000000000000.log`
  const log = await readFile(path)
  const batch = [...batchesIn(log)].find(one => one.baseOffset === baseOffset)
  assert.ok(batch !== undefined, `no batch begins at ${baseOffset}`)
  log[batch.end - 1]! ^= 1
  await writeFile(path, log)
  return batch.nextOffset
}

test(
  'a log segment that rotted on a broker’s disk: the partition stops, or the one batch is a declared gap, as the user wants',
  { skip: skipWithForeignKafka },
  async t => {
    await using world = await openWorld(t)
    await using kafka = await Kafka.start()
    await using referee = Referee.start(kafka.bootstrap)
    const own: World = { ...world, bootstrap: kafka.bootstrap, referee }
    const topic = world.name('orders')
    await referee.createTopic(topic)
    await produceBatches(own, topic, 5)
    const broker = kafka.brokers[0]!
    await broker.stop()
    const from = 20
    const to = await damageSegment(kafka, topic, from)
    await broker.restart()
    const backup = new BackupRun({ world: own, topics: [topic] })

    const stopped = await backup.once()
    assert.equal(stopped.exit, 3, stopped.stderr)
    const [reason] = stopped.json['stopped'] as { code: string; message: string }[]
    assert.equal(reason?.code, 'BATCH_CORRUPT')
    assert.match(reason.message, new RegExp(`${topic}-0 at offset ${from}`))
    assert.equal((await backup.stored(topic))[0]!.to, from)

    const { exit, json, stderr } = await backup.once(['--on-corrupt=gap'])
    assert.equal(exit, 3, stderr)
    const gap = { from, to, reason: 'corrupt-at-source' }
    assert.equal(json['result'], 'partial')
    assert.deepEqual(json['gaps'], [{ topic, partition: 0, ...gap }])
    assert.deepEqual(json['stopped'], [])
    assert.deepEqual(
      logged(stderr, message).map(line => [line.level, line['from'], line['to'], line['reason']]),
      [['error', from, to, gap.reason]],
    )
    const [stored] = await backup.stored(topic)
    assert.deepEqual(stored!.gaps, [gap])
    assert.deepEqual(
      stored!.records.map(({ offset }) => Number(offset)),
      Array.from({ length: 50 }, (_, n) => n).filter(n => n < from || n >= to),
    )
    // Kafka's own reader gets no further, either: nothing was left out that it could have read.
    await assert.rejects(referee.records(topic), /Received exception when fetching the next record/)
  },
)

test('bytes that the network damages now and then are fetched again, and nothing is missing', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await produceBatches(world, topic, 3)
  const backup = new BackupRun({ world, topics: [topic] })
  const network = new DamagedFetches(topic, 15, 3)
  const { exit, json, stderr } = await backup.once(['--on-corrupt=gap'], network.ports)
  assert.equal(exit, 0, stderr)
  assert.deepEqual([network.fired, logged(stderr, again).length, json['gaps']], [3, 3, []])
  await backup.assertSame(topic)
})

test('a corrupt batch is left out once: the backup behind it goes on without alarm', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await produceBatches(world, topic, 3)
  const backup = new BackupRun({ world, topics: [topic] })
  const network = new DamagedFetches(topic, 15, Infinity)
  const first = await backup.once(['--on-corrupt=gap'], network.ports)
  assert.ok(network.fired > 3)
  assert.deepEqual(first.json['gaps'], [{ topic, partition: 0, from: 10, to: 20, reason: 'corrupt-at-source' }])
  const second = await backup.onceOk('--on-corrupt=gap')
  assertNoAlarm(second.stderr)
  const [stored] = await backup.stored(topic)
  assert.deepEqual([stored!.to, stored!.records.length], [30, 20])
})
