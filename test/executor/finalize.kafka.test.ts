import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { forgetful } from '../helpers/forgetful-kafka.ts'
import { runCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { compactedTopic } from '../helpers/referee-types.ts'
import { RestoreScene, ok } from '../helpers/restore-scene.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openWorld } from '../helpers/world.ts'

interface Finalized {
  readonly topics: readonly {
    readonly topic: string
    readonly state: string
    readonly expired: readonly { partition: number; records: number }[]
    readonly configs: Readonly<Record<string, string | null>>
  }[]
  readonly brokersRestored: boolean
}

const hourMs = 3_600_000
const count = (partitions: readonly { records: number }[]) => partitions.reduce((sum, { records }) => sum + records, 0)
let kafka: Kafka
let referee: Referee

// A broker that deletes, cleans, and forgets producers as soon as it may.
before(async () => {
  if (skipWithForeignKafka !== false) return
  const properties = {
    'log.retention.check.interval.ms': 1_000,
    'log.initial.task.delay.ms': 500,
    'log.cleaner.backoff.ms': 1,
    ...forgetful,
  }
  kafka = await Kafka.start({ brokers: 1, properties })
  referee = Referee.start(kafka.bootstrap)
})
after(async () => {
  await referee?.[Symbol.asyncDispose]()
  await kafka?.[Symbol.asyncDispose]()
})

test(
  'nothing disappears while a topic is held; finalize predicts what will, waits for --yes, and is right',
  { skip: skipWithForeignKafka },
  async () => {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'maxbrod-finalize-'))
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
    const common = [`--bootstrap-server=${kafka.bootstrap}`]
    const storage = `--storage=file://${folder}/backup`
    const succeed = async (argv: readonly string[]) => {
      const { exit, json, stderr } = await runCommand([...argv, ...common])
      assert.equal(exit, 0, stderr)
      return json
    }

    // One topic with 30 days old records, one with fresh ones; both keep records for an hour in the end.
    for (const [topic, ageMs] of [
      ['old', 30 * 24 * hourMs],
      ['fresh', 0],
    ] as const) {
      await referee.createTopic(topic, { partitions: 2 })
      await referee.generate(topic, { partitions: 2, records: 1_000, timestampFrom: Date.now() - ageMs })
    }
    const worker = ['--group-id=b', `--working-dir=${folder}/work`, '--metrics-port=0']
    await succeed(['backup', '--once', '--topics=old|fresh', storage, ...worker])
    for (const topic of ['old', 'fresh']) {
      const configs = { 'retention.ms': hourMs, 'cleanup.policy': 'delete' }
      await referee.createTopic(`copy.${topic}`, { partitions: 2, configs })
    }
    await succeed(['plan', '--target-prefix=copy.', storage])

    const early = await runCommand(['finalize', ...common])
    assert.equal(early.exit, 3, early.stderr)
    assert.deepEqual(
      (early.json as unknown as Finalized).topics.map(({ state }) => state),
      ['unfinished', 'unfinished'],
    )

    await succeed(['restore', '--exit-when-done', '--metrics-port=0', '--session-timeout=6s', storage])
    // A topic that is not held loses such records: the broker has looked often enough by then.
    await referee.createTopic('witness', { partitions: 1, configs: { 'retention.ms': hourMs } })
    await referee.generate('witness', { partitions: 1, records: 10, timestampFrom: Date.now() - 30 * 24 * hourMs })
    await eventually(
      'the broker deletes what is old',
      async () => (await referee.offsets('witness'))[0]!.start === '10',
    )
    assert.equal(count(await referee.read('copy.old', { restored: true })), 1_000)

    const dry = (await succeed(['finalize', '--dry-run'])) as unknown as Finalized
    assert.deepEqual(
      dry.topics.map(({ topic, state, expired }) => [topic, state, count(expired)]),
      [
        ['copy.fresh', 'would be', 0],
        ['copy.old', 'would be', 1_000],
      ],
    )
    const careful = await runCommand(['finalize', ...common])
    assert.equal(careful.exit, 3, careful.stderr)
    assert.deepEqual(
      (careful.json as unknown as Finalized).topics.map(({ topic, state }) => [topic, state]),
      [
        ['copy.fresh', 'finalized'],
        ['copy.old', 'would expire'],
      ],
    )
    assert.equal(count(await referee.read('copy.old', { restored: true })), 1_000)

    const done = (await succeed(['finalize', '--yes'])) as unknown as Finalized
    assert.deepEqual(
      done.topics.map(({ topic, state }) => [topic, state]),
      [
        ['copy.fresh', 'untouched'],
        ['copy.old', 'finalized'],
      ],
    )
    assert.equal(done.brokersRestored, true)
    await eventually('what was predicted disappears', async () =>
      (await referee.offsets('copy.old')).every(({ start, end }) => start === end),
    )
    assert.equal(count(await referee.read('copy.fresh', { restored: true })), 1_000)
    const { configs } = await referee.describeTopic('copy.old')
    assert.equal(configs['retention.ms'], String(hourMs))
    assert.equal(configs['message.timestamp.before.max.ms'], undefined)
    assert.equal(((await succeed(['finalize'])) as unknown as Finalized).topics[1]?.state, 'untouched')
  },
)

test(
  'a compacted topic restored into a compacted one has every record once, in order, however often executors die: nothing of it is cleaned before finalize',
  { skip: skipWithForeignKafka },
  async t => {
    await using scene = new RestoreScene(await openWorld(t, { bootstrap: kafka.bootstrap, referee }))
    // A hundred updates of each key, in so many segments that the cleaner has all but the last of them.
    const updates = {
      partitions: 2,
      records: 2_000,
      keys: 20,
      nullKeyPercent: 0,
      tombstonePercent: 2,
      batchBytes: 8_192,
      timestampFrom: Date.now() - 30 * 24 * hourMs,
      timestampStep: 1_000,
    }
    const clean = async (word: string) => {
      const topic = scene.world.name(word)
      await referee.createTopic(topic, { partitions: 2, configs: compactedTopic })
      await referee.generate(topic, { ...updates, seed: scene.world.dice.between(1, 1_000_000) })
      for (const partition of [0, 1]) await referee.waitCompacted(topic, partition, 500)
      return topic
    }
    // The half of the source is cleaned, the other half is as it was written: a target has something to lose.
    const source = await clean('users')
    const later = { 'min.compaction.lag.ms': '9223372036854775807', 'max.compaction.lag.ms': '9223372036854775807' }
    await referee.alterConfigs({ topic: source }, { set: later })
    await clean('first-witness') // the cleaner does one thing at a time: it is through with the source
    await referee.generate(source, { ...updates, timestampFrom: updates.timestampFrom + updates.records * 1_000 })
    await scene.backUp(source)
    const total = count(await referee.read(source))
    assert.ok(total > updates.records && total < 2 * updates.records, `${total} records in the source`)

    const target = scene.world.name('copy')
    await referee.createTopic(target, { partitions: 2, configs: { ...compactedTopic, 'max.message.bytes': 8_192 } })
    ok(await scene.plan([`--rename=${source}=${target}`]))
    assert.equal((await referee.describeTopic(target)).configs['cleanup.policy'] ?? 'delete', 'delete')
    for (const [n, fault] of [8, 16].map(call => `kafka.append~${target}:after:${call}:kill`).entries()) {
      // By its name it has its partitions back at once, and need not wait for the death of the one before.
      const executor = new FaultyCli(scene.restoreArgv(['--exit-when-done', '--worker-name=mortal']), [fault])
      assert.equal((await executor.result).exit, 'SIGKILL', executor.output)
      executor.assertAllFired()
      const ends = (await referee.offsets(target)).map(({ end }) => Number(end))
      assert.ok(ends.some(end => end > 0) && ends[0]! + ends[1]! < total, `the restore came to ${ends.join()}`)
      if (n === 0) await clean('witness')
      const left = await referee.read(target, { restored: true })
      assert.deepEqual(
        left.map(({ records }) => records),
        ends,
      )
    }
    ok(await scene.restore(['--worker-name=mortal']))
    await clean('last-witness')
    await scene.assertSame(source, target)

    const { json } = ok(await runCommand(['finalize', ...finalizeArgv(scene)]))
    assert.equal((json as unknown as Finalized).topics[0]?.state, 'finalized')
    assert.equal((await referee.describeTopic(target)).configs['cleanup.policy'], 'compact')
    for (const partition of [0, 1]) await referee.waitCompacted(target, partition, 500)
  },
)

function finalizeArgv({ planTopic, world }: RestoreScene): string[] {
  return [`--plan-topic=${planTopic}`, `--bootstrap-server=${world.bootstrap}`]
}
