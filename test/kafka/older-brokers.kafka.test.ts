import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConnection } from '../../src/kafka/kafkajs/broker-connection.ts'
import { FIND_COORDINATORS } from '../../src/kafka/protocol/find-coordinators.ts'
import { MANY_GROUPS, OFFSET_FETCH } from '../../src/kafka/protocol/offset-fetch.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { openWorld } from '../helpers/world.ts'

/** Brokers before 3.0 know no request for many groups (KIP-699, KIP-709); today's still take the older ones. */
test('brokers that take one group in a request tell the same of many', async t => {
  await using world = await openWorld(t)
  const { referee } = world
  const topic = world.name('orders')
  await referee.createTopic(topic, { partitions: 2 })
  const groups = Array.from({ length: 30 }, (_, n) => world.name(`group-${n}`))
  for (const [n, group] of groups.entries())
    await referee.commitOffsets(group, [{ topic, partition: n % 2, offset: n, metadata: `m${n}`, leaderEpoch: n % 3 }])
  await using modern = openClient(world.bootstrap)
  const expected = await modern.admin.groupOffsets(groups)
  assert.equal(expected.offsets.size, groups.length)

  const asked: number[] = []
  const version = Reflect.get(BrokerConnection.prototype, 'version')
  t.mock.method(
    BrokerConnection.prototype,
    'version',
    async function older(this: BrokerConnection, apiKey: number, newest: number, oldest: number) {
      const isOfMany = apiKey === FIND_COORDINATORS.apiKey || apiKey === OFFSET_FETCH.apiKey
      if (isOfMany) asked.push(apiKey)
      if (apiKey === FIND_COORDINATORS.apiKey && oldest >= FIND_COORDINATORS.oldest) return undefined
      const most = apiKey === OFFSET_FETCH.apiKey ? Math.min(newest, MANY_GROUPS - 1) : newest
      return version.call(this, apiKey, most, oldest)
    },
  )
  await using older = openClient(world.bootstrap)
  const found = await older.admin.groupOffsets(groups)
  assert.ok(asked.includes(FIND_COORDINATORS.apiKey) && asked.includes(OFFSET_FETCH.apiKey))
  const rows = ({ offsets }: typeof found) =>
    [...offsets].map(([group, of]) => [group, [...of]] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))
  assert.deepEqual(rows(found), rows(expected))
  assert.equal(found.failed.size, 0)
})
