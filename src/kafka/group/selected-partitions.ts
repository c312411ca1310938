import { createHash } from 'node:crypto'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { TopicDescription } from '../port/admin.ts'
import type { TopicSelection } from '../port/membership.ts'

/** What a selection matches at one moment. */
export interface SelectedPartitions {
  readonly topics: readonly string[]
  readonly partitions: readonly TopicPartition[]
  /** Differs when the selection, the matched topics or their partition counts differ: members compare it. */
  readonly hash: string
}

export const nothingSelected: SelectedPartitions = { topics: [], partitions: [], hash: '' }

export async function selectPartitions(
  selection: TopicSelection,
  topics: readonly TopicDescription[],
): Promise<SelectedPartitions> {
  const visible = topics.filter(topic => topic.error === undefined && selection.matches(topic))
  const narrowed = (await selection.narrow?.(visible)) ?? visible
  const matched = narrowed.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const hash = createHash('sha256').update(selection.fingerprint)
  for (const { name, partitions } of matched) hash.update(`\n${name} ${partitions}`)
  return {
    topics: matched.map(({ name }) => name),
    partitions: matched.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    ),
    hash: hash.digest('base64url').slice(0, 22),
  }
}
