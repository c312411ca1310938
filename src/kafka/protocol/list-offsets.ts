import { call } from './call.ts'
import type { Call } from './call.ts'
import { byTopic } from './by-topic.ts'

export const LIST_OFFSETS = { apiKey: 2, newest: 5, oldest: 2 } as const

/** The moments that ListOffsets knows by special timestamps. */
export const LATEST = -1
export const EARLIEST = -2

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
    write(writer) {
      writer.int32(asker).int8(isolation)
      writer.array(byTopic(partitions), ([topic, of]) => {
        writer.string(topic)
        writer.array(of, ({ partition, timestamp }) => {
          writer.int32(partition)
          if (version >= 4) writer.int32(-1) // current leader epoch: not compared
          writer.int64(timestamp)
        })
      })
    },
    read(reader) {
      reader.int32() // throttle time
      const topics = reader.array(() => {
        const topic = reader.string()
        return reader.array((): ListedOffset => {
          const partition = reader.int32()
          const errorCode = reader.int16()
          reader.int64() // timestamp
          const offset = reader.offset()
          if (version >= 4) reader.int32() // leader epoch
          return { topic, partition, errorCode, offset }
        })
      })
      return topics.flat()
    },
  })
}
