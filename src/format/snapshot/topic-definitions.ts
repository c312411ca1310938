import { assert } from '../../runtime/assert.ts'
import { DecodeError } from '../batch/varint.ts'
import { snapshotKind } from './container.ts'
import type { SnapshotKind } from './container.ts'

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
  /** Nothing says that somebody has seen its configs: `configs` is empty, and may be so for that alone. Stands in the header of the file. */
  readonly areConfigsUnseen?: true
  /**
   * The `cleanup.policy` that topics of its cluster had which did not say one themselves; missing where nobody saw it. No config of
   * the topic: a restore into another cluster leaves that to the other cluster. Stands in the header of the file.
   */
  readonly clusterPolicy?: string
}

/** What Kafka did with old records of a topic, `delete`, `compact` or both; undefined where nothing says it. Pure. */
export function cleanupPolicies({
  configs,
  clusterPolicy,
}: Pick<TopicDefinition, 'configs' | 'clusterPolicy'>): readonly string[] | undefined {
  return (configs['cleanup.policy'] ?? clusterPolicy)?.split(',').map(policy => policy.trim())
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

const records = snapshotKind<TopicDefinition>({
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

/**
 * The entry of the header that says whose configs nobody could see: a bit for each record, in their order, the lowest of the first
 * byte first, in base64. Names of thousands of topics would not fit into a header. Older files lack it.
 */
const UNSEEN_FACT = 'configs.unseen'
/** Once for all records: they are topics of one cluster. Older files lack it. */
const CLUSTER_POLICY_FACT = 'cluster.cleanup.policy'

export const topicDefinitions: Omit<SnapshotKind<TopicDefinition>, 'open'> = {
  encode: (topics, facts = {}) => {
    const policy = topics[0]?.clusterPolicy
    assert(
      topics.every(({ clusterPolicy }) => clusterPolicy === policy),
      'the topics of a cluster have one default',
    )
    return records.encode(topics, {
      ...facts,
      [UNSEEN_FACT]: unseenBits(topics),
      ...(policy !== undefined && { [CLUSTER_POLICY_FACT]: policy }),
    })
  },
  async decode(file) {
    const { records: topics, facts } = await records.open(file)
    const text = facts.get(UNSEEN_FACT)
    const bits = Buffer.from(text ?? '', 'base64')
    if (text !== undefined && (bits.toString('base64') !== text || bits.length !== bytesFor(topics.length)))
      throw new DecodeError('its header does not say whose configs nobody could see')
    const isUnseen = ({ configs }: TopicDefinition, n: number) =>
      text === undefined ? Object.keys(configs).length === 0 : ((bits[n >> 3] ?? 0) & (1 << (n & 7))) !== 0
    const clusterPolicy = facts.get(CLUSTER_POLICY_FACT)
    return topics.map((one, n) => ({
      ...one,
      ...(isUnseen(one, n) && { areConfigsUnseen: true }),
      ...(clusterPolicy !== undefined && { clusterPolicy }),
    }))
  },
}

function unseenBits(topics: readonly TopicDefinition[]): string {
  const bits = Buffer.alloc(bytesFor(topics.length))
  for (const [n, { areConfigsUnseen }] of topics.entries()) {
    if (areConfigsUnseen) bits.writeUInt8(bits.readUInt8(n >> 3) | (1 << (n & 7)), n >> 3)
  }
  return bits.toString('base64')
}

function bytesFor(bits: number): number {
  return Math.ceil(bits / 8)
}
