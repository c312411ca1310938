import { byTopic } from './by-topic.ts'
import type { Call } from './call.ts'
import { WireReader, WireWriter } from './wire.ts'

/**
 * Version 7 is the first with zstd. From version 13 on (Kafka 4.1) topics are named by their ids, so that no batch gets into a
 * topic that was created again under the name. What the versions between add (record errors, leader hints) is not needed.
 */
export const PRODUCE = { apiKey: 0, newest: 7, oldest: 7 } as const
export const PRODUCE_BY_ID = 13

export interface ProduceCallPartition {
  readonly topic: string
  /** Needed from version 13 on. */
  readonly topicId?: string | undefined
  readonly partition: number
  /** One finished record batch. */
  readonly batch: Buffer
}

export interface ProducedPartition {
  /** The name before version 13, else the id. */
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
  /** −1 when the records keep their own times. */
  readonly appendTime: bigint
  readonly logStartOffset: number
}

const ACKS_ALL = -1

/**
 * One batch for each of several partitions that one broker leads. The batches are pieces of the request as they are:
 * nobody may change them before the answer is there.
 */
export function produceCall(
  version: typeof PRODUCE.newest | typeof PRODUCE_BY_ID,
  timeoutMs: number,
  partitions: readonly ProduceCallPartition[],
): Call<ProducedPartition[]> {
  const isById = version === PRODUCE_BY_ID
  const topics = byTopic(partitions)
  return {
    apiKey: PRODUCE.apiKey,
    apiName: 'Produce',
    version,
    pieces: isById ? piecesById(timeoutMs, topics) : piecesByName(timeoutMs, topics),
    decode: payload => (isById ? answeredById(new WireReader(payload)) : answeredByName(new WireReader(payload))),
  }
}

type Topics = readonly (readonly [topic: string, partitions: readonly ProduceCallPartition[]])[]

function piecesByName(timeoutMs: number, topics: Topics): Buffer[] {
  const pieces: Buffer[] = []
  let writer = new WireWriter().string(null).int16(ACKS_ALL).int32(timeoutMs)
  writer.int32(topics.length)
  for (const [topic, of] of topics) {
    writer.string(topic).int32(of.length)
    for (const { partition, batch } of of) {
      writer.int32(partition).int32(batch.length)
      pieces.push(writer.bytes, batch)
      writer = new WireWriter()
    }
  }
  return pieces
}

/** Structures of a flexible version end in tag buffers, and lengths are one more than they say (KIP-482). */
function piecesById(timeoutMs: number, topics: Topics): Buffer[] {
  const pieces: Buffer[] = []
  let writer = new WireWriter().noTags() // the end of request header v2
  writer.compactString(null).int16(ACKS_ALL).int32(timeoutMs)
  writer.uvarint(topics.length + 1)
  for (const [, of] of topics) {
    writer.uuid(of[0]?.topicId ?? null).uvarint(of.length + 1)
    for (const { partition, batch } of of) {
      writer.int32(partition).uvarint(batch.length + 1)
      pieces.push(writer.bytes, batch)
      writer = new WireWriter().noTags()
    }
    writer.noTags()
  }
  return [...pieces, writer.noTags().bytes]
}

function answeredByName(reader: WireReader): ProducedPartition[] {
  const answered = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => readPartition(reader, topic))
  })
  return answered.flat()
}

function answeredById(reader: WireReader): ProducedPartition[] {
  reader.skipTags() // the end of response header v1
  const answered = reader.compactArray(() => {
    const topic = reader.uuid() ?? ''
    const partitions = reader.compactArray(() => {
      const partition = readPartition(reader, topic)
      reader.compactArray(() => {
        reader.int32() // which record of the batch
        reader.nullableCompactString()
        reader.skipTags()
      })
      reader.nullableCompactString() // what is wrong, in words
      reader.skipTags()
      return partition
    })
    reader.skipTags()
    return partitions
  })
  return answered.flat()
}

function readPartition(reader: WireReader, topic: string): ProducedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const baseOffset = reader.offset()
  const appendTime = reader.int64()
  return { topic, partition, errorCode, baseOffset, appendTime, logStartOffset: reader.offset() }
}
