import { byTopic } from './by-topic.ts'
import type { Call } from './call.ts'
import { WireReader, WireWriter } from './wire.ts'

/** Version 7 is the first with zstd; what later ones add (record errors, leader hints, topic ids) is not needed. */
export const PRODUCE = { apiKey: 0, newest: 7, oldest: 7 } as const

export interface ProduceCallPartition {
  readonly topic: string
  readonly partition: number
  /** One finished record batch. */
  readonly batch: Buffer
}

export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
  readonly logStartOffset: number
}

const ACKS_ALL = -1

/**
 * One batch for each of several partitions that one broker leads. The batches are pieces of the request as they are:
 * nobody may change them before the answer is there.
 */
export function produceCall(timeoutMs: number, partitions: readonly ProduceCallPartition[]): Call<ProducedPartition[]> {
  const pieces: Buffer[] = []
  let writer = new WireWriter().string(null).int16(ACKS_ALL).int32(timeoutMs)
  const topics = byTopic(partitions)
  writer.int32(topics.length)
  for (const [topic, of] of topics) {
    writer.string(topic).int32(of.length)
    for (const { partition, batch } of of) {
      writer.int32(partition).int32(batch.length)
      pieces.push(writer.bytes, batch)
      writer = new WireWriter()
    }
  }
  return {
    apiKey: PRODUCE.apiKey,
    apiName: 'Produce',
    version: PRODUCE.newest,
    pieces,
    decode(payload) {
      const reader = new WireReader(payload)
      const answered = reader.array(() => {
        const topic = reader.string()
        return reader.array((): ProducedPartition => {
          const partition = reader.int32()
          const errorCode = reader.int16()
          const baseOffset = reader.offset()
          reader.int64() // log append time
          return { topic, partition, errorCode, baseOffset, logStartOffset: reader.offset() }
        })
      })
      return answered.flat()
    },
  }
}
