import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { recordSchema } from '../../src/format/record-schema.ts'
import { topicDefinitions } from '../../src/format/snapshot/topic-definitions.ts'
import { recordLists, runsOf } from '../helpers/arbitrary-records.ts'
import { avroType, readContainer, readDataFile } from '../helpers/avro-referee.ts'
import { dataFile, inBlocks, plainRecords } from '../helpers/data-file.ts'
import { checkAsync } from '../helpers/properties.ts'
import { readTile } from '../helpers/read-tile.ts'

const type = avroType(recordSchema)

test('avsc opens a file of ours and finds the schema of docs/formats.md and the same records', async () => {
  const records = plainRecords(1_000)
  const file = await dataFile(inBlocks(records, 70))
  assert.deepEqual(await readDataFile(file.bytes, type), records)
  const { schema } = await readContainer(file.bytes, type)
  assert.deepEqual(schema, {
    type: 'record',
    name: 'KafkaRecord',
    namespace: 'maxbrod',
    fields: [
      { name: 'offset', type: 'long' },
      { name: 'timestamp', type: 'long', doc: 'milliseconds since 1970-01-01T00:00:00Z' },
      { name: 'key', type: ['null', 'bytes'], default: null },
      { name: 'value', type: ['null', 'bytes'], default: null },
      {
        name: 'headers',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'Header',
            fields: [
              { name: 'key', type: 'string' },
              { name: 'value', type: ['null', 'bytes'], default: null },
            ],
          },
        },
      },
    ],
  })
})

test('avsc opens a file without blocks', async () => {
  assert.deepEqual(await readDataFile((await dataFile([])).bytes, type), [])
})

test('whatever the records, avsc finds in a file of ours what our reader finds there', async () => {
  await checkAsync(
    fc.asyncProperty(recordLists(15), fc.array(fc.nat(), { maxLength: 3 }), async (records, cuts) => {
      const file = await dataFile(runsOf(records, cuts))
      assert.deepEqual(await readDataFile(file.bytes, type), records)
      const { error, blocks } = await readTile(file.bytes, file.place)
      assert.ifError(error)
      assert.deepEqual(Buffer.concat(blocks.map(({ bytes }) => bytes)), Buffer.concat(file.contents))
    }),
    150,
  )
})

test('any tool reads a file of ours with the schema in it, names of headers as text', async () => {
  const [record] = plainRecords(1)
  const { bytes } = await dataFile([[{ ...record!, headers: [[Buffer.from('trace-id'), Buffer.from('ž')]] }]])
  const { values } = await readContainer(bytes)
  const [value] = values as { headers: { key: string; value: Buffer }[] }[]
  assert.deepEqual(
    value!.headers.map(header => [header.key, header.value]),
    [['trace-id', Buffer.from('ž')]],
  )
})

test('avsc opens topic definitions', async () => {
  const topic = {
    topic: 'orders',
    topic_id: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
    partitions: 12,
    replication_factor: 3,
    configs: { 'cleanup.policy': 'compact' },
    acls: [{ principal: 'User:k', host: '*', operation: 3, permission: 3, pattern_type: 3, resource: 'orders' }],
  }
  const file = await topicDefinitions.encode([topic, { ...topic, topic: 'payments', topic_id: null }])
  const { values } = await readContainer(file)
  assert.deepEqual(
    values.map(value => JSON.parse(JSON.stringify(value)) as unknown),
    [topic, { ...topic, topic: 'payments', topic_id: null }],
  )
})
