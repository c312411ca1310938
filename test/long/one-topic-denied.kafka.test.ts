import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { strictDefinitions } from '../../src/catalog/sound-definitions.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openWorld } from '../helpers/world.ts'

const modules = 'org.apache.kafka.common.security'
/** Kafka's codes. */
const [LITERAL, READ, DESCRIBE, DENY, ALLOW] = [3, 3, 8, 2, 3]
const login = `${modules}.plain.PlainLoginModule required`

test(
  'of ten topics one may not be read: nine are backed up, and exit 3 names the tenth',
  { skip: skipWithForeignKafka },
  async t => {
    await using shared = await openWorld(t)
    await using kafka = await Kafka.start({
      listeners: { BASIC: 'SASL_PLAINTEXT' },
      properties: {
        'listener.name.basic.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.basic.plain.sasl.jaas.config': `${login} user_bob="secret";`,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
        // The brokers themselves, and the referee.
        'super.users': 'User:ANONYMOUS',
      },
    })
    await using referee = Referee.start(kafka.bootstrap)
    const world = { ...shared, referee, bootstrap: kafka.brokers[0]!.addressOf('BASIC') }
    const topics = Array.from({ length: 10 }, (_, n) => `shop-${n}`)
    for (const [n, topic] of topics.entries()) {
      await referee.createTopic(topic, { partitions: 2 })
      await referee.generate(topic, { partitions: 2, records: 100, seed: n })
    }
    await referee.denyReading('shop-7', 'bob')
    const properties = `${world.folder}/bob.properties`
    const lines = [
      'security.protocol=SASL_PLAINTEXT',
      'sasl.mechanism=PLAIN',
      `sasl.jaas.config=${login} username="bob" password="secret";`,
    ]
    writeFileSync(properties, lines.join('\n'))

    const backup = new BackupRun({ world, topics: [String.raw`shop-\d`] })
    const { exit, json, stderr } = await backup.once([`--command-config=${properties}`])
    assert.equal(exit, 3, stderr)
    assert.equal(json['result'], 'partial')
    const stopped = json['stopped'] as { topic: string; message: string }[]
    assert.deepEqual([...new Set(stopped.map(({ topic }) => topic))], ['shop-7'])
    for (const { message } of stopped) assert.match(message, /shop-7.*TOPIC_AUTHORIZATION_FAILED|shop-7.*may not/)
    assert.match(stderr, /shop-7/)
    for (const topic of topics.filter(name => name !== 'shop-7')) await backup.assertSame(topic)
    assert.deepEqual(await backup.stored('shop-7'), [])

    // The definitions say who may do what with the topic, as the cluster does.
    const { topics: defined = [] } = (await strictDefinitions(backup.store).newest()) ?? {}
    const acls = new Map(defined.map(one => [one.topic, one.acls.map(acl => ({ ...acl }))]))
    assert.deepEqual([...acls.keys()].toSorted(), topics)
    const bobs = { resource: 'shop-7', pattern_type: LITERAL, principal: 'User:bob', host: '*' }
    assert.deepEqual(
      acls.get('shop-7')?.toSorted((one, other) => one.operation - other.operation),
      [
        { ...bobs, operation: READ, permission: DENY },
        { ...bobs, operation: DESCRIBE, permission: ALLOW },
      ],
    )
    assert.deepEqual(acls.get('shop-6'), [])
  },
)
