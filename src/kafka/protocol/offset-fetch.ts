import { call } from './call.ts'
import type { Call } from './call.ts'
import type { WireReader } from './wire.ts'

/**
 * Version 5 brought leader epochs, version 8 (Kafka 3.0, KIP-709) many groups in one request. From version 10 on topics have
 * ids instead of names, which tells nothing of topics that are gone.
 */
export const OFFSET_FETCH = { apiKey: 9, newest: 9, oldest: 5 } as const
export const MANY_GROUPS = 8

export interface FetchedGroup {
  readonly group: string
  readonly errorCode: number
  readonly offsets: readonly FetchedOffset[]
}

export interface FetchedOffset {
  readonly topic: string
  readonly partition: number
  /** Whatever a member has committed: up to 2^63 − 1. */
  readonly offset: bigint
  /** −1 when there is none. */
  readonly leaderEpoch: number
  readonly metadata: string | null
  readonly errorCode: number
}

/** All that the groups have committed; below version 8 of exactly one group. */
export function offsetFetchCall(version: number, groups: readonly string[]): Call<FetchedGroup[]> {
  return call({
    apiKey: OFFSET_FETCH.apiKey,
    apiName: 'OffsetFetch',
    version,
    flexibleFrom: 6,
    write(writer, isFlexible) {
      const [only = ''] = groups
      if (version >= MANY_GROUPS) {
        writer.compactArray(groups, group => {
          writer.compactString(group)
          if (version >= 9) writer.compactString(null).int32(-1) // no member asks
          writer.uvarint(0).noTags() // all topics
        })
      } else if (isFlexible) writer.compactString(only).uvarint(0)
      else writer.string(only).int32(-1)
      // What a transaction has not committed yet was not committed at this moment: the offset before it counts.
      if (version >= 7) writer.int8(0)
      if (isFlexible) writer.noTags()
    },
    read(reader, isFlexible) {
      reader.int32() // throttle time
      if (version < MANY_GROUPS) {
        const offsets = readTopics(reader, isFlexible)
        return [{ group: groups[0] ?? '', offsets, errorCode: reader.int16() }]
      }
      return reader.compactArray((): FetchedGroup => {
        const group = reader.compactString()
        const offsets = readTopics(reader, true)
        const errorCode = reader.int16()
        reader.skipTags()
        return { group, errorCode, offsets }
      })
    },
  })
}

function readTopics(reader: WireReader, isFlexible: boolean): FetchedOffset[] {
  const array = <T>(read: () => T) => (isFlexible ? reader.compactArray(read) : reader.array(read))
  const topics = array(() => {
    const topic = isFlexible ? reader.compactString() : reader.string()
    const partitions = array((): FetchedOffset => {
      const partition = reader.int32()
      const offset = reader.int64()
      const leaderEpoch = reader.int32()
      const metadata = isFlexible ? reader.nullableCompactString() : reader.nullableString()
      const errorCode = reader.int16()
      if (isFlexible) reader.skipTags()
      return { topic, partition, offset, leaderEpoch, metadata, errorCode }
    })
    if (isFlexible) reader.skipTags()
    return partitions
  })
  return topics.flat()
}
