import { byTopic } from './by-topic.ts'
import { call } from './call.ts'
import type { Call } from './call.ts'

/** Version 6 brought the committed leader epoch, version 7 the group instance id. */
export const OFFSET_COMMIT = { apiKey: 8, newest: 7, oldest: 5 } as const

export interface OffsetCommitRequest {
  readonly groupId: string
  /** −1 with an empty member id: from outside of the group, which must be empty. */
  readonly generation: number
  readonly memberId: string
  readonly instanceId: string | null
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly leaderEpoch: number
    readonly metadata: string
  }[]
}

export interface CommittedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
}

export function offsetCommitCall(
  version: number,
  { groupId, generation, memberId, instanceId, offsets }: OffsetCommitRequest,
): Call<CommittedPartition[]> {
  return call({
    apiKey: OFFSET_COMMIT.apiKey,
    apiName: 'OffsetCommit',
    version,
    flexibleFrom: 8,
    write(writer) {
      writer.string(groupId).int32(generation).string(memberId)
      if (version >= 7) writer.string(instanceId)
      writer.array(byTopic(offsets), ([topic, of]) => {
        writer.string(topic)
        writer.array(of, ({ partition, offset, leaderEpoch, metadata }) => {
          writer.int32(partition).int64(offset)
          if (version >= 6) writer.int32(leaderEpoch)
          writer.string(metadata)
        })
      })
    },
    read(reader) {
      reader.int32() // throttle time
      const topics = reader.array(() => {
        const topic = reader.string()
        return reader.array((): CommittedPartition => ({ topic, partition: reader.int32(), errorCode: reader.int16() }))
      })
      return topics.flat()
    },
  })
}
