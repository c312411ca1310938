import assert from 'node:assert/strict'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Cli, runCli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { openDesk } from '../helpers/page-scene.ts'
import { walkPage } from '../helpers/page-walk.ts'
import { freePorts } from '../helpers/ports.ts'
import type { RecordToSend } from '../helpers/records.ts'
import { Referee } from '../helpers/referee.ts'
import { secureListeners } from '../helpers/secure-listeners.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { javaArguments, javaProgram } from '../servers/jars.ts'

/** Kafka's own tools, as they are called in its bin folder. */
const kafkaTools = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  'kafka-consumer-groups.sh': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
}

test('the runbooks are done word for word, from one cluster to another', { skip: skipWithForeignKafka }, async () => {
  await using desk = await openDesk(
    Object.fromEntries(
      Object.entries(kafkaTools).map(([name, main]) => {
        const args = javaArguments({
          classPath: 'kafka',
          main,
          heapMiB: 128,
          // Each lives for a second.
          flags: ['-XX:TieredStopAtLevel=1'],
          isTethered: false,
        })
        return [name, `exec ${[javaProgram(), ...args].map(word => `'${word}'`).join(' ')} "$@"`]
      }),
    ),
  )
  const secure = secureListeners(desk.folder, { maxbrod: 'old-secret' })
  await using old = await Kafka.start()
  await using next = await Kafka.start(secure.kafka)
  await using oldReferee = Referee.start(old.bootstrap)
  await using referee = Referee.start(next.bootstrap)
  const bucket = join(desk.folder, 'prod')
  const storage = `file://${bucket}`
  desk.put('client.properties', scramProperties())
  await oldReferee.createTopic('orders', { partitions: 2 })
  for (const [partition, records] of [971, 1_029].entries())
    await oldReferee.produce('orders', recordsOf(partition, records))
  await oldReferee.createTopic('payments')
  await oldReferee.produce('payments', recordsOf(0, 300))
  await oldReferee.commitOffsets('billing', [
    { topic: 'payments', partition: 0, offset: 120 },
    { topic: 'orders', partition: 0, offset: 10 },
  ])
  const [flushPort = 0, metricsPort = 0] = await freePorts(2)
  const worker = new Cli(
    ['backup', '--max-file-age=1h', `--flush-port=${flushPort}`, `--metrics-port=${metricsPort}`, '--storage', storage],
    { cwd: desk.folder, env: { ...desk.env, KAFKA_BROKERS: old.bootstrap } },
  )
  const file = (partition: number, offset: number) =>
    join(desk.folder, `prod-2/orders/${partition}/orders-${partition}-${`${offset}`.padStart(19, '0')}.avro`)
  const aside = join(desk.folder, 'aside')
  try {
    await eventually('the worker has read all', async () => (await recordsRead(metricsPort)) === 2_300)
    await walkPage('docs/operations.md', {
      folder: desk.folder,
      env: { ...desk.env, FLUSH_PORT: `${flushPort}`, METRICS_PORT: '0' },
      instead: {
        'old:9092': old.bootstrap,
        'new:9092': next.bootstrap,
        'new:9093': next.brokers[0]!.addressOf('MUTUAL'),
        'new:9094': next.brokers[0]!.addressOf('SCRAM'),
        's3://backups': `file://${desk.folder}`,
      },
      events: {
        async 'The cluster is gone'() {
          const flags = ['--once', '--bootstrap-server', old.bootstrap, '--storage', storage]
          assert.equal((await runCli(['groups-backup', ...flags])).exit, 0)
          worker.process.kill('SIGKILL')
          await worker.result
          await old.brokers[0]!.kill9()
        },
        async 'Recreate a topic'() {
          const [first] = await referee.nextRecords('billing', [{ topic: 'payments', partition: 0 }])
          assert.ok(first?.kind === 'record' && first.value === 'payment 120', JSON.stringify(first))
        },
        async 'The new one is backed up'() {
          await referee.generate('payments', { partitions: 2, records: 50 })
        },
        async 'An object is in the way'() {
          for (const [partition, records] of [39, 61].entries())
            await referee.produce('orders', recordsOf(partition, records))
          writeFileSync(file(0, 1_000), 'not ours')
        },
        async 'The object is away'() {
          rmSync(file(0, 1_000))
        },
        async 'Coverage finds a gap'() {
          rmSync(file(0, 971))
        },
        async 'An object was replaced'() {
          renameSync(file(1, 0), aside)
          const bytes = readFileSync(aside)
          bytes[bytes.length - 100]! ^= 1
          writeFileSync(file(1, 0), bytes)
        },
        async 'The object is back'() {
          renameSync(aside, file(1, 0))
        },
        async 'Rotate keys'() {
          secure.renew(join(desk.folder, 'renewed'))
        },
      },
    })
  } finally {
    worker.process.kill('SIGKILL')
    await worker.result
  }
})

function recordsOf(partition: number, count: number): readonly RecordToSend[] {
  return Array.from({ length: count }, (_, n) => ({ partition, key: `${n}`, value: `payment ${n}` }))
}

/** What the worker has of them, for whoever asks it to flush. */
async function recordsRead(port: number): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${port}/metrics`).then(
    answer => answer.text(),
    () => '', // it does not listen yet
  )
  const values = [...page.matchAll(/^maxbrod_backup_records_total\{.*\} (\d+)$/gm)]
  return values.reduce((sum, [, value]) => sum + Number(value), 0)
}

function scramProperties(): string {
  return `security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=certs/ca.crt
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="maxbrod" password="old-secret";
`
}
