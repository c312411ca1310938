import type { GenerationSeal } from '../../format/generation.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { must } from '../../runtime/assert.ts'
import type { Source } from './source.ts'

/** What a seal says before anything is made. */
export type SealBeginning = Pick<
  GenerationSeal,
  'generation' | 'clusterId' | 'topic' | 'topicId' | 'partition' | 'lineage' | 'origin' | 'covers'
>

/** Pure. */
export function beginSeal(
  { generation, topic, partition, lineage }: PartitionPlace & { readonly generation: string },
  sources: readonly Source[],
): SealBeginning {
  const last = must(sources.at(-1), 'a generation has sources')
  const { clusterId, topicId, origin } = last.header
  return {
    generation,
    clusterId,
    topic,
    topicId,
    partition,
    lineage,
    origin,
    covers: { from: must(sources[0], 'a generation has sources').from, to: last.to },
  }
}
