import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka } from './kafka-broker.ts'
import { Referee } from './referee.ts'
import { skipWithForeignKafka } from './shared-kafka.ts'

test('a broker keeps its records and its port over kill -9', { skip: skipWithForeignKafka }, async () => {
  await using kafka = await Kafka.start({ properties: { 'producer.id.expiration.check.interval.ms': 1_000 } })
  await using referee = Referee.start(kafka.bootstrap)
  await referee.createTopic('kept')
  await referee.produce('kept', [{ value: 'a' }])
  const [broker] = kafka.brokers
  const pid = broker!.pid
  await broker!.kill9()
  assert.equal(broker!.pid, undefined)
  await broker!.restart()
  assert.notEqual(broker!.pid, pid)
  await referee.produce('kept', [{ value: 'b' }])
  assert.deepEqual(
    (await referee.records('kept')).map(record => record.value),
    ['61', '62'],
  )
})

test('three brokers: a leader can be moved, and its death is survived', { skip: skipWithForeignKafka }, async () => {
  await using kafka = await Kafka.start({ brokers: 3 })
  await using referee = Referee.start(kafka.bootstrap)
  await referee.createTopic('moved', { replicas: 3 })
  const before = await referee.describeTopic('moved')
  const next = before.partitions[0]!.leader === 3 ? 2 : 3
  await referee.moveLeader('moved', 0, next)
  assert.equal((await referee.describeTopic('moved')).partitions[0]!.leader, next)
  await kafka.brokers[next - 1]!.kill9()
  await referee.produce('moved', [{ value: 'by another leader' }])
  assert.notEqual((await referee.describeTopic('moved')).partitions[0]!.leader, next)
})
