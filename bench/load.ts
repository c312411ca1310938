import { setTimeout } from 'node:timers/promises'
import { BatchBuilder } from '../src/format/batch/batch-builder.ts'
import { integerBytes, writeInteger } from '../src/format/batch/varint.ts'
import type { BatchAppender } from '../src/kafka/port/appending.ts'
import type { Kafka } from '../src/kafka/port.ts'
import type { TopicPartition } from '../src/runtime/topic-partition.ts'
import { BufferPool } from '../src/runtime/buffer-pool.ts'
import { PayloadWriter } from './payload.ts'

export interface DataSet {
  readonly name: string
  readonly topic: string
  readonly records: number
  readonly valueBytes: number
  readonly partitions: number
  readonly isEncrypted?: boolean
}

/** As Kafka's producers make them by default. */
const BATCH_BYTES = 16 * 1024
const TIMESTAMP = 1_760_000_000_000

/** Creates the topic and fills it: uncompressed batches of JSON records with short keys, spread evenly. Returns bytes of keys and values. */
export async function load(kafka: Kafka, { topic, records, valueBytes, partitions }: DataSet): Promise<number> {
  await kafka.admin.createTopic({
    name: topic,
    partitions,
    replicationFactor: 1,
    configs: new Map([['retention.ms', '-1']]),
  })
  using appender = kafka.newAppender()
  const pool = new BufferPool(64 * 1024 * 1024)
  const sizes = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const writer = new PayloadWriter(partition + 1, valueBytes)
      const count = Math.floor(records / partitions) + (partition < records % partitions ? 1 : 0)
      let bytes = 0
      for (let left = count; left > 0;) {
        const builder = new BatchBuilder(pool, BATCH_BYTES + 2 * valueBytes)
        for (; left > 0 && builder.length < BATCH_BYTES; left--) {
          const key = Buffer.from(`key-${left % 10_000}`)
          const value = writer.next()
          bytes += key.length + value.length
          let at = builder.begin(TIMESTAMP + (count - left), fieldBytes(key) + fieldBytes(value) + 1)
          at = writeField(builder.bytes, at, key)
          at = writeField(builder.bytes, at, value)
          builder.length = writeInteger(builder.bytes, at, 0)
        }
        const batch = await builder.finish('none', { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
        await append(appender, { topic, partition }, batch)
        builder.release()
      }
      return bytes
    }),
  )
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}

/** A topic that was just created may not have its leaders yet. */
async function append(appender: BatchAppender, where: TopicPartition, batch: Buffer): Promise<void> {
  for (;;) {
    const answer = await appender.append({ ...where, batch, mayWrite: () => true })
    if (answer.kind === 'acknowledged') return
    const isEarly = answer.kind === 'unsent' || (answer.kind === 'refused' && answer.trouble.kind === 'moved')
    if (!isEarly) throw new Error(`the broker did not take a batch: ${JSON.stringify(answer)}`)
    await setTimeout(50)
  }
}

function fieldBytes(field: Buffer): number {
  return integerBytes(field.length) + field.length
}

function writeField(out: Buffer, at: number, field: Buffer): number {
  const contentAt = writeInteger(out, at, field.length)
  return contentAt + field.copy(out, contentAt)
}
