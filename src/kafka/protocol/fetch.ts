import type { AbortedTransaction } from '../../format/batch/aborted.ts'
import { byTopic } from './by-topic.ts'
import { call } from './call.ts'
import type { Call } from './call.ts'
import { CORRUPT_MESSAGE } from './wire.ts'
import type { WireReader } from './wire.ts'

/** From version 13 on (Kafka 3.1) partitions are asked for by topic id, so a re-created topic cannot be mistaken. */
export const FETCH = { apiKey: 1, newest: 13, oldest: 11 } as const
export const FETCH_BY_ID = 13

export interface FetchCallPartition {
  readonly topic: string
  /** Needed from version 13 on. */
  readonly topicId: string | undefined
  readonly partition: number
  readonly offset: number
  /** −1 when unknown: not compared. */
  readonly leaderEpoch: number
  /** Of the record before `offset`; −1 when unknown. Compared from version 12 on. */
  readonly lastFetchedEpoch: number
  readonly maxBytes: number
}

export interface FetchCallOptions {
  readonly isolation: 0 | 1
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
}

export interface FetchAnswer {
  readonly throttleMs: number
  readonly errorCode: number
  readonly partitions: readonly FetchAnswerPartition[]
}

export interface FetchAnswerPartition {
  /** The name before version 13, else the id. */
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Where the log has another history than the one that was fetched (KIP-595). */
  readonly diverging: { readonly leaderEpoch: number; readonly endOffset: number } | undefined
  /** Record batches; a slice of the answer. */
  readonly records: Buffer
}

/** Tagged field of a partition's answer. */
const DIVERGING_EPOCH = 0

/** One fetch outside of any session (KIP-227): each request names all it wants. */
export function fetchCall(
  version: number,
  options: FetchCallOptions,
  partitions: readonly FetchCallPartition[],
): Call<FetchAnswer> {
  const isById = version >= FETCH_BY_ID
  return call({
    apiKey: FETCH.apiKey,
    apiName: 'Fetch',
    version,
    flexibleFrom: 12,
    write(writer, isFlexible) {
      writer.int32(-1).int32(options.maxWaitMs).int32(options.minBytes).int32(options.maxBytes).int8(options.isolation)
      writer.int32(0).int32(-1) // session id and epoch: none
      const writePartition = ({ partition, offset, leaderEpoch, lastFetchedEpoch, maxBytes }: FetchCallPartition) => {
        writer.int32(partition).int32(leaderEpoch).int64(offset)
        if (version >= 12) writer.int32(lastFetchedEpoch)
        writer.int64(-1).int32(maxBytes) // log start offset: followers only
        if (isFlexible) writer.noTags()
      }
      const writeTopic = ([topic, of]: [string, FetchCallPartition[]]) => {
        if (isById) writer.uuid(of[0]?.topicId ?? null)
        else if (isFlexible) writer.compactString(topic)
        else writer.string(topic)
        if (isFlexible) writer.compactArray(of, writePartition).noTags()
        else writer.array(of, writePartition)
      }
      if (isFlexible) writer.compactArray(byTopic(partitions), writeTopic).uvarint(1).compactString('').noTags()
      else writer.array(byTopic(partitions), writeTopic).int32(0).string('') // forgotten topics, rack
    },
    read(reader, isFlexible) {
      const array = <T>(read: () => T) => (isFlexible ? reader.compactArray(read) : reader.array(read))
      const throttleMs = reader.int32()
      const errorCode = reader.int16()
      reader.int32() // session id
      const topics = array(() => {
        const topic = isById ? (reader.uuid() ?? '') : isFlexible ? reader.compactString() : reader.string()
        const answered = array((): FetchAnswerPartition => {
          const partition = reader.int32()
          const partitionError = reader.int16()
          let isSound = true
          const offset = (of: WireReader): number => {
            const value = of.offsetIfSound()
            isSound &&= value !== undefined
            return value ?? -1
          }
          const highWatermark = offset(reader)
          const lastStableOffset = offset(reader)
          const logStartOffset = offset(reader)
          const aborted = array((): AbortedTransaction => {
            const transaction = { producerId: reader.int64(), firstOffset: offset(reader) }
            if (isFlexible) reader.skipTags()
            return transaction
          })
          reader.int32() // preferred read replica: no rack was named
          const records = isFlexible ? reader.compactBytes() : reader.bytes()
          let diverging: FetchAnswerPartition['diverging']
          if (isFlexible)
            reader.tags((tag, field) => {
              if (tag === DIVERGING_EPOCH) diverging = { leaderEpoch: field.int32(), endOffset: offset(field) }
            })
          return {
            topic,
            partition,
            // Nothing of it is taken: the others of the answer are sound.
            errorCode: isSound ? partitionError : partitionError || CORRUPT_MESSAGE,
            highWatermark,
            lastStableOffset,
            logStartOffset,
            aborted,
            diverging,
            records,
          }
        })
        if (isFlexible) reader.skipTags()
        return answered
      })
      return { throttleMs, errorCode, partitions: topics.flat() }
    },
  })
}
