import { snapshotKind } from './container.ts'

/** What a consumer group had committed. Field names are those of the file; they are those of kafka-data-keep, and a few more. */
export interface GroupOffsets {
  readonly group_id: string
  /** Of the protocol that its members speak: `classic`, `consumer` (KIP-848), `streams`; null where brokers do not tell. */
  readonly type: string | null
  /** `Empty`, `Stable`, …; null where brokers do not tell. */
  readonly state: string | null
  readonly topics: readonly GroupTopic[]
}

export interface GroupTopic {
  readonly topic: string
  /** Null when the topic was gone, and for brokers without topic ids. */
  readonly topic_id: string | null
  readonly partitions: readonly GroupPartition[]
}

export interface GroupPartition {
  readonly partition: number
  readonly offset: number
  /** For information: it means nothing in another cluster. */
  readonly leader_epoch: number | null
  readonly metadata: string | null
}

export const groupOffsets = snapshotKind<GroupOffsets>({
  type: 'record',
  name: 'GroupOffsets',
  namespace: 'maxbrod',
  fields: [
    { name: 'group_id', type: 'string' },
    { name: 'type', type: ['null', 'string'], default: null },
    { name: 'state', type: ['null', 'string'], default: null },
    {
      name: 'topics',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'GroupTopic',
          fields: [
            { name: 'topic', type: 'string' },
            { name: 'topic_id', type: ['null', 'string'], default: null },
            {
              name: 'partitions',
              type: {
                type: 'array',
                items: {
                  type: 'record',
                  name: 'GroupPartition',
                  fields: [
                    { name: 'partition', type: 'int' },
                    { name: 'offset', type: 'long' },
                    { name: 'leader_epoch', type: ['null', 'int'], default: null },
                    { name: 'metadata', type: ['null', 'string'], default: null },
                  ],
                },
              },
            },
          ],
        },
      },
    },
  ],
})
