import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { runCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'

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

test(
  'nothing disappears while a topic is held; finalize predicts what will, waits for --yes, and is right',
  { skip: skipWithForeignKafka },
  async () => {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'maxbrod-finalize-'))
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
    const properties = { 'log.retention.check.interval.ms': 1_000, 'log.initial.task.delay.ms': 500 }
    const kafka = stack.use(await Kafka.start({ brokers: 1, properties }))
    const referee = stack.use(Referee.start(kafka.bootstrap))
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
