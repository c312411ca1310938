import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownCluster } from '../../src/kafka/kafkajs/known-cluster.ts'
import type { MetadataAnswer, MetadataPartition } from '../../src/kafka/protocol/metadata.ts'
import { WireWriter } from '../../src/kafka/protocol/wire.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { openClusterView } from '../helpers/cluster-view.ts'
import { eventually } from '../helpers/eventually.ts'
import { FakeBroker } from '../helpers/fake-broker.ts'

const id = 'CCCCCCCCCCCCCCCCCCCCCA'
const otherId = 'BBBBBBBBBBBBBBBBBBBBBA'
const where = { topic: 'orders', partition: 0 }

function answer(leader: number, leaderEpoch: number, topicId: string | null = id): MetadataAnswer {
  const partition: MetadataPartition = { errorCode: 0, partition: 0, leader, leaderEpoch, replicas: [1, 2] }
  return {
    brokers: [1, 2].map(nodeId => ({ nodeId, host: 'localhost', port: nodeId })),
    clusterId: 'cluster',
    controllerId: 1,
    topics: [
      { errorCode: 0, name: 'orders', topicId, isInternal: false, partitions: [partition], operations: undefined },
    ],
    clusterOperations: undefined,
  }
}

function knownAfter(...answers: readonly MetadataAnswer[]) {
  const known = new KnownCluster()
  for (const one of answers) known.learn(one, undefined)
  const leader = known.leader(where)
  return leader === undefined ? undefined : [leader.nodeId, leader.leaderEpoch]
}

test('an answer of an older leader epoch does not undo a newer one, for the same topic', () => {
  assert.deepEqual(knownAfter(answer(2, 6), answer(1, 5)), [2, 6])
  assert.deepEqual(knownAfter(answer(1, 5), answer(2, 6)), [2, 6])
  assert.deepEqual(knownAfter(answer(2, 6), answer(-1, 5)), [2, 6])
  assert.equal(knownAfter(answer(2, 6), answer(-1, 7)), undefined)
})

test('a topic that was created again begins with small epochs, and without a topic id nobody knows', () => {
  assert.deepEqual(knownAfter(answer(2, 6), answer(1, 0, otherId)), [1, 0])
  assert.deepEqual(knownAfter(answer(2, 6, null), answer(1, 0, null)), [1, 0])
  assert.deepEqual(knownAfter(answer(2, 6), answer(1, -1)), [1, -1], 'an old broker tells no epoch')
})

test('another broker is heard about leaders, and about nothing else', () => {
  const known = new KnownCluster()
  known.learnLeaders(answer(2, 6))
  assert.equal(known.leader(where), undefined)
  known.learn(answer(1, 5), undefined)
  known.learnLeaders(answer(2, 9, otherId))
  assert.equal(known.leader(where)?.nodeId, 1)
  known.learnLeaders(answer(2, 6))
  assert.equal(known.leader(where)?.nodeId, 2)
})

/** Metadata version 12 of a cluster of two brokers and one topic. Source: Kafka protocol guide, "Metadata API". */
function metadata(ports: readonly number[], leader: number, leaderEpoch: number): Buffer {
  const writer = new WireWriter().noTags().int32(0)
  writer.compactArray(ports, port =>
    writer
      .int32(ports.indexOf(port) + 1)
      .compactString('127.0.0.1')
      .int32(port)
      .compactString(null)
      .noTags(),
  )
  writer.compactString('cluster').int32(1)
  writer.compactArray(['orders'], topic => {
    writer.int16(0).compactString(topic).uuid(id).int8(0)
    writer.compactArray([0], partition => {
      writer.int16(0).int32(partition).int32(leader).int32(leaderEpoch)
      for (const replicas of [[1, 2], [leader], []]) writer.compactArray(replicas, replica => writer.int32(replica))
      writer.noTags()
    })
    writer.int32(-(2 ** 31)).noTags()
  })
  return writer.noTags().bytes
}

test('a broker that is cut off from the others, and still calls itself the leader, is not believed for long', async () => {
  const ports: number[] = []
  await using stale = await FakeBroker.start(request => request.answer(metadata(ports, 1, 5)))
  await using fresh = await FakeBroker.start(request => request.answer(metadata(ports, 2, 6)))
  ports.push(stale.port, fresh.port)
  let aheadMs = 0
  using view = openClusterView(`127.0.0.1:${stale.port}`, {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + aheadMs,
  })
  await view.metadata(undefined)
  assert.equal(view.leader(where)?.nodeId, 1)
  await eventually('the new leader is known', async () => {
    aheadMs += 30_000
    await view.metadata(undefined)
    return view.leader(where)?.nodeId === 2
  })
  await view.metadata(undefined)
  await view.refresh(['orders'])
  assert.equal(view.leader(where)?.nodeId, 2, 'who is asked first still says otherwise')
  assert.ok(stale.requests.length > fresh.requests.length)
})
