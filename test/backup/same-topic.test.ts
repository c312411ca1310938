import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SameTopic } from '../../src/backup/reading/same-topic.ts'
import type { TopicDescription } from '../../src/kafka/port/admin.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'

/** A topic that was read as `id`, and what the cluster says of it now; a question that is not answered is an error. */
function topicAt(answer: () => readonly Partial<TopicDescription>[], isNamedById = false): SameTopic {
  const admin = { topics: async () => answer() }
  const topic = new SameTopic({ topic: 'orders', partition: 0 }, 'id', { admin } as unknown as Kafka)
  topic.read(isNamedById)
  return topic
}

test('what was read by name is uploaded while the topic is the same, or gone', async () => {
  assert.equal(await topicAt(() => [{ topicId: 'id' }]).mayUpload(), true)
  assert.equal(await topicAt(() => [{ topicId: 'another' }]).mayUpload(), false)
  assert.equal(await topicAt(() => []).mayUpload(), true)
})

test('what was read by name waits while the cluster does not tell which topic it has, or is another cluster', async () => {
  for (const code of ['KAFKA_GAVE_UP', 'FOREIGN_CLUSTER'] as const) {
    const topic = topicAt(() => {
      throw new MaxbrodError(code, 'no answer')
    })
    await assert.rejects(topic.mayUpload(), { code })
  }
})

test('what was read by topic id needs no question', async () => {
  const silent = () => assert.fail('nobody should ask')
  assert.equal(await topicAt(silent, true).mayUpload(), true)
})
