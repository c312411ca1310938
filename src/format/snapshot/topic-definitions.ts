import { snapshotKind } from './container.ts'

/** What a topic was, so that it can be created again. Field names are those of the file. */
export interface TopicDefinition {
  readonly topic: string
  /** Null for brokers without topic ids. */
  readonly topic_id: string | null
  readonly partitions: number
  readonly replication_factor: number
  /** Configs that were set for the topic itself. */
  readonly configs: Readonly<Record<string, string>>
  readonly acls: readonly TopicAcl[]
}

export interface TopicAcl {
  readonly principal: string
  readonly host: string
  /** Kafka's codes: operation (`AclOperation`), permission (`AclPermissionType`), pattern (`PatternType`). */
  readonly operation: number
  readonly permission: number
  readonly pattern_type: number
  readonly resource: string
}

export const topicDefinitions = snapshotKind<TopicDefinition>({
  type: 'record',
  name: 'TopicDefinition',
  namespace: 'maxbrod',
  fields: [
    { name: 'topic', type: 'string' },
    { name: 'topic_id', type: ['null', 'string'], default: null },
    { name: 'partitions', type: 'int' },
    { name: 'replication_factor', type: 'int' },
    { name: 'configs', type: { type: 'map', values: 'string' } },
    {
      name: 'acls',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'TopicAcl',
          fields: [
            { name: 'principal', type: 'string' },
            { name: 'host', type: 'string' },
            { name: 'operation', type: 'int' },
            { name: 'permission', type: 'int' },
            { name: 'pattern_type', type: 'int' },
            { name: 'resource', type: 'string' },
          ],
        },
      },
    },
  ],
})
