import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeadroomWatch } from '../../src/backup/protection/headroom.ts'
import type { Endangered } from '../../src/backup/protection/headroom.ts'
import { backupMetrics } from '../../src/backup/metrics.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { logged } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'
import type { World } from '../helpers/world.ts'

const HOUR = 3_600_000
const { signal } = new AbortController()

/** A topic with a record of each of these ages, in a retention of an hour. */
async function aged(world: World, word: string, agesMs: readonly number[], policy = 'delete'): Promise<string> {
  const topic = world.name(word)
  await world.referee.createTopic(topic, { configs: { 'retention.ms': `${HOUR}`, 'cleanup.policy': policy } })
  const nowMs = Date.now()
  for (const age of agesMs) await world.referee.produce(topic, [{ partition: 0, key: 'k', timestamp: nowMs - age }])
  return topic
}

/** `hidden` is a topic whose configs the broker would not show. */
function watchOf(world: World, hidden?: string) {
  const kafka = openClient(world.bootstrap)
  const metrics = new Metrics()
  const warnings: Record<string, unknown>[] = []
  const log = { warn: (facts: object) => void warnings.push({ ...facts }) } as unknown as Logger
  const reads: string[] = []
  const watched = {
    admin: {
      ...kafka.admin,
      topicConfigs: (names: readonly string[]) =>
        hidden !== undefined && names.includes(hidden)
          ? Promise.reject(new MaxbrodError('KAFKA_AUTH', 'as the test wants'))
          : kafka.admin.topicConfigs(names),
    },
    readRecords: (...args: Parameters<typeof kafka.readRecords>) => {
      reads.push(args[0].topic)
      return kafka.readRecords(...args)
    },
  }
  const clock = {
    now: () => Date.now(),
    monotonic: () => 0,
    sleep: () => Promise.resolve(),
    every: () => assert.fail(),
  }
  const watch = new HeadroomWatch({ kafka: watched, clock, metrics, log })
  const gauge = metrics.of(backupMetrics).retentionHeadroomSeconds
  return {
    reads,
    warnings,
    seconds: (topic: string) => gauge.value({ topic }),
    text: () => metrics.text(),
    look: (partitions: Record<string, number>) =>
      watch.look(
        Object.entries(partitions).map(([topic, committedTo]): Endangered => ({
          ownership: { topic, partition: 0 },
          committedTo,
        })),
        signal,
      ),
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  }
}

function assertAbout(seconds: number, wanted: number) {
  assert.ok(seconds <= wanted && seconds > wanted - 300, `${seconds} s, where ${wanted} s were wanted`)
}

test('what retention leaves of a topic follows from its oldest record that is not durable', async t => {
  await using world = await openWorld(t)
  const topic = await aged(world, 'orders', [HOUR - 600_000, HOUR - 1_200_000, 60_000])
  await using watch = watchOf(world)
  await watch.look({ [topic]: 0 })
  assertAbout(await watch.seconds(topic), 600)
  await watch.look({ [topic]: 1 })
  assertAbout(await watch.seconds(topic), 1_200)
  assert.deepEqual(watch.reads, [topic, topic])
  // What is left is young: no record is read to see that, and half of the time is what is shown.
  await watch.look({ [topic]: 2 })
  assertAbout(await watch.seconds(topic), 1_800)
  assert.equal(watch.reads.length, 2)
  // All is durable.
  await watch.look({ [topic]: 3 })
  assert.doesNotMatch(await watch.text(), new RegExp(topic))
})

test('a warning comes before the hole, once for each time that a topic is in danger', async t => {
  await using world = await openWorld(t)
  const topic = await aged(world, 'orders', [HOUR - 600_000, 60_000])
  await using watch = watchOf(world)
  await watch.look({ [topic]: 0 })
  await watch.look({ [topic]: 0 })
  assert.deepEqual(
    watch.warnings.map(({ topic: of, partition, retentionSeconds }) => [of, partition, retentionSeconds]),
    [[topic, 0, 3_600]],
  )
  await watch.look({ [topic]: 1 })
  await watch.look({ [topic]: 0 })
  assert.equal(watch.warnings.length, 2)
})

test('nothing is in danger in a topic that keeps its records', async t => {
  await using world = await openWorld(t)
  const topic = await aged(world, 'orders', [HOUR - 600_000], 'compact')
  await using watch = watchOf(world)
  await watch.look({ [topic]: 0 })
  assert.doesNotMatch(await watch.text(), new RegExp(topic))
  assert.deepEqual(watch.reads, [])
})

test('a topic whose configs may not be seen is told of once, and hides no other', async t => {
  await using world = await openWorld(t)
  const secret = await aged(world, 'secret', [HOUR - 300_000])
  const open = await aged(world, 'open', [HOUR - 300_000])
  await using watch = watchOf(world, secret)
  await watch.look({ [secret]: 0, [open]: 0 })
  await watch.look({ [secret]: 0, [open]: 0 })
  assertAbout(await watch.seconds(open), 300)
  assert.equal(watch.warnings.length, 2)
  assert.deepEqual(new Set(watch.warnings.map(({ topic }) => topic)), new Set([open, secret]))
})

test('the topic that is worst off does not hide another one, and one that is gone spoils nothing', async t => {
  await using world = await openWorld(t)
  const worse = await aged(world, 'worse', [HOUR - 300_000])
  const better = await aged(world, 'better', [HOUR - 1_500_000])
  await using watch = watchOf(world)
  await watch.look({ [worse]: 0, [better]: 0, [world.name('gone')]: 0 })
  assert.deepEqual(
    watch.warnings.map(({ topic }) => topic),
    [worse],
  )
  assertAbout(await watch.seconds(worse), 300)
  assertAbout(await watch.seconds(better), 1_500)
})

test('a worker that keeps records back says in its log that retention is about to take them', async t => {
  await using world = await openWorld(t)
  const topic = await aged(world, 'orders', [HOUR - 600_000])
  const backup = new BackupRun({ world, topics: [topic] })
  const worker = backup.start('slow', ['--max-file-age=10m'])
  const message = 'retention is about to delete records that are not in the backup yet'
  await eventually('the worker warns', () => logged(worker.output(), message).length > 0)
  const [line] = logged(worker.output(), message)
  assert.deepEqual([line?.level, line?.['topic'], line?.['partition']], ['warn', topic, 0])
  worker.signal('SIGTERM')
  assert.equal((await worker.result).exit, 0)
})
