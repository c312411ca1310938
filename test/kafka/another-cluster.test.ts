import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WireWriter } from '../../src/kafka/protocol/wire.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { FakeBroker } from '../helpers/fake-broker.ts'
import { openClient } from '../helpers/kafka-client.ts'

/** Metadata version 12 of a cluster of one broker without topics. Source: Kafka protocol guide, "Metadata API". */
function metadata(clusterId: string, port: number): Buffer {
  const writer = new WireWriter().noTags().int32(0)
  writer.compactArray([1], nodeId =>
    writer.int32(nodeId).compactString('127.0.0.1').int32(port).compactString(null).noTags(),
  )
  writer.compactString(clusterId).int32(1)
  writer.compactArray([], () => undefined)
  return writer.noTags().bytes
}

test('addresses that lead to another cluster than before are refused: nothing of it is taken for the first one’s', async () => {
  let clusterId = 'first'
  await using broker: FakeBroker = await FakeBroker.start(request => request.answer(metadata(clusterId, broker.port)))
  await using kafka = openClient(`127.0.0.1:${broker.port}`, { deadlineMs: 2_000 })
  assert.equal(await kafka.admin.clusterId(), 'first')
  clusterId = 'second'
  await assert.rejects(kafka.admin.topics(), error => {
    assert.ok(isMaxbrodError(error, 'FOREIGN_CLUSTER'))
    assert.match(error.message, /was cluster first, and is second now/)
    return true
  })
  await kafka.routes.refresh(['orders']) // throws nothing
  // A name server that was wrong for a moment.
  clusterId = 'first'
  assert.deepEqual(await kafka.admin.topics(), [])
})

test('brokers that are all gone are looked for where they are listed', async () => {
  let listed: { host: string; port: number }[] = []
  const answering = async (): Promise<FakeBroker> => {
    const broker: FakeBroker = await FakeBroker.start(request => request.answer(metadata('first', broker.port)))
    return broker
  }
  const first = await answering()
  await using kafka = openClient(`127.0.0.1:${first.port}`, { listAgain: () => Promise.resolve(listed) })
  assert.equal(await kafka.admin.clusterId(), 'first')
  await using second = await answering()
  await first[Symbol.asyncDispose]()
  listed = [{ host: '127.0.0.1', port: second.port }]
  assert.deepEqual(await kafka.admin.topics(), [])
  assert.ok(second.requests.length > 0)
})

test('a list of brokers that cannot be read changes nothing', async () => {
  const listAgain = () => Promise.reject(new Error('no DNS'))
  const broker: FakeBroker = await FakeBroker.start(request => request.answer(metadata('first', broker.port)))
  const { port } = broker
  await using kafka = openClient(`127.0.0.1:${port}`, { listAgain, deadlineMs: 1_000 })
  assert.equal(await kafka.admin.clusterId(), 'first')
  await broker[Symbol.asyncDispose]()
  await assert.rejects(kafka.admin.topics(), { code: 'KAFKA_GAVE_UP' })
})
