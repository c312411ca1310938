import { call } from './call.ts'
import type { Call } from './call.ts'
import { byTopic } from './by-topic.ts'
import { CORRUPT_MESSAGE } from './wire.ts'

/** Version 8 (Kafka 3.4) tells local log starts. */
export const LIST_OFFSETS = { apiKey: 2, newest: 8, oldest: 2 } as const
export const LIST_LOCAL = 8

/** The moments that ListOffsets knows by special timestamps. */
export const LATEST = -1
export const EARLIEST = -2
export const EARLIEST_LOCAL = -4

/** Who asks. A consumer (−1) sees the end that its isolation level allows; a debugging client (−2) sees the log end itself. */
export type Asker = -1 | -2

export interface ListedOffset {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  /** −1 when there is no such record. */
  readonly offset: number
}

/** Offsets by moment, of partitions that one broker leads. `timestamp` is LATEST, EARLIEST or ms since 1970. */
export function listOffsetsCall(
  version: number,
  asker: Asker,
  isolation: 0 | 1,
  partitions: readonly { topic: string; partition: number; timestamp: number | bigint }[],
): Call<ListedOffset[]> {
  return call({
    apiKey: LIST_OFFSETS.apiKey,
    apiName: 'ListOffsets',
    version,
    flexibleFrom: 6,
    write(writer, isFlexible) {
      writer.int32(asker).int8(isolation)
      const writePartition = ({ partition, timestamp }: (typeof partitions)[number]) => {
        writer.int32(partition)
        if (version >= 4) writer.int32(-1) // current leader epoch: not compared
        writer.int64(timestamp)
        if (isFlexible) writer.noTags()
      }
      const writeTopic = ([topic, of]: [string, (typeof partitions)[number][]]) => {
        if (isFlexible) writer.compactString(topic).compactArray(of, writePartition).noTags()
        else writer.string(topic).array(of, writePartition)
      }
      if (isFlexible) writer.compactArray(byTopic(partitions), writeTopic).noTags()
      else writer.array(byTopic(partitions), writeTopic)
    },
    read(reader, isFlexible) {
      const array = <T>(read: () => T) => (isFlexible ? reader.compactArray(read) : reader.array(read))
      reader.int32() // throttle time
      const topics = array(() => {
        const topic = isFlexible ? reader.compactString() : reader.string()
        const listed = array((): ListedOffset => {
          const partition = reader.int32()
          const errorCode = reader.int16()
          reader.int64() // timestamp
          const offset = reader.offsetIfSound()
          if (version >= 4) reader.int32() // leader epoch
          if (isFlexible) reader.skipTags()
          if (offset === undefined) return { topic, partition, errorCode: errorCode || CORRUPT_MESSAGE, offset: -1 }
          return { topic, partition, errorCode, offset }
        })
        if (isFlexible) reader.skipTags()
        return listed
      })
      return topics.flat()
    },
  })
}
