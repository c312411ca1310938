import type { TopicDefinition } from '../../src/format/snapshot/topic-definitions.ts'

/** A topic as a backup defines it, with nothing special. */
export function define(topic: string, partitions: number): TopicDefinition {
  return { topic, topic_id: null, partitions, replication_factor: 3, configs: {}, acls: [] }
}
