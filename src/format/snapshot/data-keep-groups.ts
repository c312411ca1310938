import type { Schema } from 'avsc'
import { decodeForeign } from './container.ts'
import type { GroupOffsets, GroupPartition } from './group-offsets.ts'

/** The schema of kafka-data-keep's one file of consumer groups. */
const dataKeepGroupsSchema: Schema = {
  type: 'record',
  name: 'ConsumerGroupOffsets',
  namespace: 'github.utilitywarehouse.kafka_backup_restore',
  fields: [
    { name: 'group_id', type: 'string' },
    {
      name: 'topics',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'TopicOffset',
          fields: [
            { name: 'topic', type: 'string' },
            {
              name: 'partitions',
              type: {
                type: 'array',
                items: {
                  type: 'record',
                  name: 'PartitionOffset',
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
}

interface DataKeepGroup {
  readonly group_id: string
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly GroupPartition[] }[]
}

/** The groups in a file of kafka-data-keep. Throws DecodeError for anything else. */
export async function decodeDataKeepGroups(file: Buffer): Promise<GroupOffsets[]> {
  const groups = await decodeForeign<DataKeepGroup>(dataKeepGroupsSchema, file)
  return groups.map(({ group_id: group, topics }) => ({
    group_id: group,
    type: null,
    state: null,
    topics: topics.map(({ topic, partitions }) => ({ topic, topic_id: null, partitions })),
  }))
}
