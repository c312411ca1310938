import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { ErasableStore } from '../../src/storage/port.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { runElsewhere } from '../docs/walked-pages.ts'
import { dataKeepFile, dataKeepKey, dataKeepRecord } from '../helpers/data-keep-files.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { blocksOf } from '../helpers/page-blocks.ts'
import { openDesk } from '../helpers/page-scene.ts'
import { walkPage } from '../helpers/page-walk.ts'
import { Referee } from '../helpers/referee.ts'
import type { SecureListeners } from '../helpers/secure-listeners.ts'
import { secureListeners } from '../helpers/secure-listeners.ts'
import { Dice } from '../helpers/seed.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { findStockAge, withoutAge } from '../helpers/stock-age.ts'

/** Of a topic with two partitions, two files each. */
async function putDataKeepFiles(store: ErasableStore, dice: Dice): Promise<void> {
  for (const [partition, from] of [0, 1].flatMap(one => [0, 50].map(offset => [one, offset] as const))) {
    const place = { topic: 'invoices', partition }
    const records = Array.from({ length: 50 }, (_, n) => dataKeepRecord(from + n, dice))
    await store.put(dataKeepKey(place, BigInt(from)), bodyOf(dataKeepFile(records, place, dice)), {})
  }
  store.close()
}

const age = findStockAge()

suite('what pages tell their readers to do', { skip: skipWithForeignKafka }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-pages-'))
  let secure: SecureListeners
  let kafka: Kafka
  let referee: Referee

  before(async () => {
    secure = secureListeners(folder, { alice: 'secret' })
    kafka = await Kafka.start(secure.kafka)
    referee = Referee.start(kafka.bootstrap)
    await referee.createTopic('orders', { partitions: 4 })
    await referee.generate('orders', { partitions: 4, records: 5_000 })
  })

  after(async () => {
    await referee?.[Symbol.asyncDispose]()
    await kafka?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the README is done word for word, and prints what it says', () => readme(kafka.bootstrap, 'plain', {}))

  test('the README is done at a cluster with SASL_SSL and SCRAM, with the properties of docs/clusters.md', async () => {
    const user = join(folder, 'user')
    mkdirSync(user)
    const login = 'org.apache.kafka.common.security.scram.ScramLoginModule'
    writeFileSync(join(user, 'sasl.jaas.config'), `${login} required username="alice" password="secret";`)
    const block = blocksOf('docs/clusters.md').find(({ lines }) => lines.some(({ text }) => text.includes('SCRAM')))
    const properties = block?.lines.map(({ text }) => text).join('\n') ?? ''
    const file = join(folder, 'client.properties')
    writeFileSync(file, properties.replaceAll('/mnt/cluster-ca', secure.certificates).replaceAll('/mnt/user', user))
    await readme(kafka.brokers[0]!.addressOf('SCRAM'), 'scram', { COMMAND_CONFIG: file })
  })

  test('the README is done at a cluster that wants client certificates', () =>
    readme(kafka.brokers[0]!.addressOf('MUTUAL'), 'mutual', {
      KAFKA_MTLS_AUTH: 'true',
      KAFKA_MTLS_CA_CERT_PATH: join(secure.certificates, 'ca.crt'),
      KAFKA_MTLS_CLIENT_CERT_PATH: join(secure.certificates, 'user.crt'),
      KAFKA_MTLS_CLIENT_KEY_PATH: join(secure.certificates, 'user.key'),
    }))

  /** Each reader has a backup, a group, a plan and a target of its own. */
  async function readme(bootstrap: string, name: string, env: Readonly<Record<string, string>>): Promise<void> {
    await using desk = await openDesk()
    await walkPage('README.md', {
      folder: desk.folder,
      env: { ...desk.env, ...env, GROUP_ID: name, PLAN_TOPIC: `${name}.plan` },
      elsewhere: Object.keys(runElsewhere),
      instead: {
        'localhost:9092': bootstrap,
        '/tmp/maxbrod-first-try': `${desk.folder}/first-try`,
        '/tmp/maxbrod-work': `${desk.folder}/work`,
        'orders.restored': `orders.${name}`,
        'maxbrod.plan': `${name}.plan`,
      },
    })
    const [source, target] = await Promise.all(
      ['orders', `orders.${name}`].map(topic => referee.read(topic, { restored: topic !== 'orders' })),
    )
    assert.deepEqual(
      target?.map(({ digest }) => digest),
      source?.map(({ digest }) => digest),
    )
  }

  test('what docs/migration.md says is done with a backup of kafka-data-keep', async t => {
    await using desk = await openDesk()
    await using bucket = await openBucket()
    await putDataKeepFiles(openS3Store({ ...bucket.options, prefix: 'msk-backup' }), new Dice(t.fullName))
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION = '' } = process.env
    const credentials = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION }
    await walkPage('docs/migration.md', {
      folder: desk.folder,
      env: { ...desk.env, ...credentials, S3_ENDPOINT: bucket.endpoint },
      instead: { 'localhost:9092': kafka.bootstrap, backups: bucket.bucket },
    })
  })

  test(
    'what docs/encryption.md says is done, with the stock program',
    { skip: age === undefined && withoutAge },
    async () => {
      await using desk = await openDesk()
      const file = 'orders-0-0000000000000000000.avro.age'
      await walkPage('docs/encryption.md', {
        folder: desk.folder,
        env: {
          ...desk.env,
          PATH: [desk.env['PATH'], age?.folder].join(':'),
          GROUP_ID: 'encrypted',
          PLAN_TOPIC: 'encrypted.plan',
        },
        instead: {
          'localhost:9092': kafka.bootstrap,
          's3://bucket/shop': `file://${desk.folder}/shop`,
          [file]: `shop/orders/0/${file}`,
        },
      })
    },
  )
})
