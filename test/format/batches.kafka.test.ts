import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BATCH_CODECS } from '../../src/format/batch/record-batch.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { recordReader } from '../../src/format/transcode/avro-records.ts'
import { blockToBatches } from '../../src/format/transcode/to-batches.ts'
import { avroType, encodeAvroRecord } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import type { CanonicalRecord, DigestRecord } from '../helpers/records.ts'
import { canonicalBytes } from '../helpers/records.ts'
import { openWorld } from '../helpers/world.ts'

const type = avroType(recordSchema)
const odd = Buffer.from([0xff, 0, 0xc3, 0x28])

/** Odd in every way that a broker takes, and enough of them for several batches and for blocks of every codec. */
const records: DigestRecord[] = Array.from({ length: 600 }, (_, n) => ({
  offset: BigInt(2 ** 40 + n * 3),
  timestamp: [-1n, -2n, 0n, 1_700_000_000_000n, 2n ** 53n + 1n, 2n ** 62n][n % 6]!,
  key: n % 5 === 0 ? null : Buffer.from(n % 5 === 1 ? '' : `key ${n}`),
  value: n % 7 === 0 ? null : Buffer.alloc((n * 37) % 1_500, `value ${n}`),
  headers:
    n % 3 === 0
      ? []
      : [
          [Buffer.from('b'), Buffer.from(String(n))],
          [Buffer.from('a'), null],
          [Buffer.from('b'), Buffer.alloc(0)],
          [odd, odd],
          [Buffer.alloc(0), Buffer.from('no name')],
        ],
}))

test('a broker takes the batches that are made of a block, and Kafka’s own reader finds the records in them', async t => {
  await using world = await openWorld(t)
  const topic = world.name('made-of-blocks')
  await world.referee.createTopic(topic, {
    partitions: BATCH_CODECS.length,
    configs: { 'message.timestamp.after.max.ms': '9223372036854775807' },
  })
  const pool = new CountingPool()
  for (const [partition, codec] of BATCH_CODECS.entries()) {
    const slice = {
      bytes: Buffer.concat(records.map(record => encodeAvroRecord(type, record))),
      records: records.length,
      fromOffset: 0,
      toOffset: 2 ** 53 - 1,
      skip: 0,
      after: -1,
      coversTo: 2 ** 53 - 1,
    }
    const { batches } = blockToBatches(slice, recordReader, 150_000, pool)
    assert.ok(batches.length > 2)
    for (const { builder } of batches) {
      const batch = await builder.finish(codec, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      await world.referee.append(topic, partition, batch)
      builder.release()
    }
  }
  const found = await world.referee.records(topic, { restored: true })
  for (const partition of BATCH_CODECS.keys())
    assert.deepEqual(found.filter(record => record.partition === partition).map(contentOf), records.map(canonical))
})

function canonical({ offset, timestamp, key, value, headers }: DigestRecord): object {
  return {
    sourceOffset: String(offset),
    timestamp: String(timestamp),
    key: canonicalBytes(key),
    value: canonicalBytes(value),
    headers: headers.map(([name, of]) => [canonicalBytes(name), canonicalBytes(of)]),
  }
}

function contentOf({ sourceOffset, timestamp, key, value, headers }: CanonicalRecord): object {
  return { sourceOffset, timestamp, key, value, headers }
}
