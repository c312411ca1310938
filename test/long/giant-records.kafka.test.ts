import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupRun } from '../helpers/backup-run.ts'
import { Cli } from '../helpers/cli.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { processFigures } from '../helpers/process-figures.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const recordBytes = 100_000_000
const limitBytes = 120_000_000
const memoryMiB = 64
/** Node with the program, before anything is read. */
const plainMiB = 160

test(
  'records of 100,000,000 bytes are backed up, in no more memory than four of them beside --memory, and come back',
  { skip: skipWithForeignKafka },
  async t => {
    await using outer = await openWorld(t)
    const properties = {
      'message.max.bytes': limitBytes,
      'replica.fetch.max.bytes': limitBytes,
      'socket.request.max.bytes': limitBytes + 10_000_000,
    }
    await using kafka = await Kafka.start({ heapMiB: 2_048, properties })
    await using referee = Referee.start(kafka.bootstrap)
    const world: World = { ...outer, bootstrap: kafka.bootstrap, referee }
    const topic = world.name('giants')
    await referee.createTopic(topic, { partitions: 1, configs: { 'max.message.bytes': limitBytes } })
    // As they are, and compressed: then Kafka's bytes, what is in them and the block are in memory together.
    for (const [seed, codec] of [
      [1, 'none'],
      [2, 'lz4'],
    ] as const) {
      const valueBytes = [recordBytes, recordBytes] as [number, number]
      await referee.generate(topic, { partitions: 1, records: 1, seed, codec, batchBytes: 1_000, valueBytes })
    }
    await referee.generate(topic, { partitions: 1, records: 100, seed: 3 })

    const backup = new BackupRun({ world, topics: [topic] })
    const worker = new Cli([...backup.argv('giants', '--once', `--memory=${memoryMiB}MiB`), '--output=json'])
    let most = 0
    const watch = setInterval(() => {
      const { pid, exitCode } = worker.process
      // One that has just ended has no figures any more.
      if (pid !== undefined && exitCode === null) most = Math.max(most, processFigures(pid).rssMiB || 0)
    }, 20)
    const { exit, stderr } = await worker.result.finally(() => clearInterval(watch))
    assert.equal(exit, 0, stderr)
    t.diagnostic(`at most ${most} MiB`)
    await backup.assertSame(topic)
    const bound = plainMiB + memoryMiB + (4 * recordBytes) / 1024 / 1024
    assert.ok(most > recordBytes / 1024 / 1024 && most <= bound, `${most} MiB`)

    const target = `${topic}.restored`
    const place = [`--bootstrap-server=${world.bootstrap}`, `--storage=${backup.url}`, `--plan-topic=${topic}.plan`]
    const plan = new Cli(['plan', ...place, `--topics=${topic}`, `--rename=${topic}=${target}`, '--create-topics'])
    const planned = await plan.result
    assert.equal(planned.exit, 0, planned.stderr)
    const restore = new Cli(['restore', ...place, '--exit-when-done', '--metrics-port=0'])
    let mostRestoring = 0
    const watchRestore = setInterval(() => {
      const { pid, exitCode } = restore.process
      if (pid !== undefined && exitCode === null)
        mostRestoring = Math.max(mostRestoring, processFigures(pid).rssMiB || 0)
    }, 20)
    const restored = await restore.result.finally(() => clearInterval(watchRestore))
    assert.equal(restored.exit, 0, restored.stderr)
    t.diagnostic(`at most ${mostRestoring} MiB while restoring`)
    const [there] = await referee.read(target, { restored: true })
    const [source] = await referee.read(topic)
    assert.equal(there?.digest, source?.digest)
  },
)
