import { deflateRawSync, zstdCompressSync } from 'node:zlib'
import avsc from 'avsc'
import { formatContainer } from './plain-container.ts'

export interface DataKeepGroup {
  readonly group_id: string
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly offset: number
      readonly leader_epoch: number | null
      readonly metadata: string | null
    }[]
  }[]
}

/** As that program's library writes it: full names, no defaults, and the record's own order. */
const schema = {
  name: 'github.utilitywarehouse.kafka_backup_restore.ConsumerGroupOffsets',
  type: 'record',
  fields: [
    { name: 'group_id', type: 'string' },
    {
      name: 'topics',
      type: {
        type: 'array',
        items: {
          name: 'github.utilitywarehouse.kafka_backup_restore.TopicOffset',
          type: 'record',
          fields: [
            { name: 'topic', type: 'string' },
            {
              name: 'partitions',
              type: {
                type: 'array',
                items: {
                  name: 'github.utilitywarehouse.kafka_backup_restore.PartitionOffset',
                  type: 'record',
                  fields: [
                    { name: 'partition', type: 'int' },
                    { name: 'offset', type: 'long' },
                    { name: 'leader_epoch', type: ['null', 'int'] },
                    { name: 'metadata', type: ['null', 'string'] },
                  ],
                },
              },
            },
          ],
        },
      },
    },
  ],
} as const

/** A file of consumer groups as kafka-data-keep writes it, one block for each group. */
export function dataKeepGroups(
  groups: readonly DataKeepGroup[],
  codec: 'null' | 'deflate' | 'zstandard' = 'zstandard',
): Buffer {
  const type = avsc.Type.forSchema(schema as unknown as avsc.Schema)
  const compress = { null: (content: Buffer) => content, deflate: deflateRawSync, zstandard: zstdCompressSync }[codec]
  return formatContainer({
    meta: [
      ['avro.schema', JSON.stringify(schema)],
      ['avro.codec', codec],
    ],
    sync: Buffer.alloc(16, 0x5a),
    blocks: groups.map(group => ({ records: 1n, compressed: compress(type.toBuffer(group)) })),
  })
}
