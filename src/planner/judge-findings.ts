import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { findingsOf } from './audit.ts'
import type { AuditedPartition } from './audit.ts'
import type { PlannerOptions } from './options.ts'

/** Refuses what must not be restored by mistake: throws FOREIGN_CLUSTER and TILING_HOLE; returns what is only worth a warning. Pure. */
export function judgeFindings(
  partitions: readonly AuditedPartition[],
  { acceptGaps }: Pick<PlannerOptions, 'acceptGaps'>,
): string[] {
  for (const { place, foreign } of partitions) {
    const [first] = foreign
    if (first !== undefined)
      throw new MaxbrodError('FOREIGN_CLUSTER', `${first.key} ${first.reason}`, {
        topic: place.topic,
        partition: place.partition,
        hint: 'use another prefix for each cluster; move the foreign files away',
      })
  }
  const accepted = new Set(acceptGaps)
  const refused = partitions.filter(
    ({ place, holes, overlaps }) => overlaps.length > 0 || (holes.length > 0 && !accepted.has(partitionName(place))),
  )
  if (refused.length > 0) {
    const lines = refused.flatMap(findingsOf)
    const isSealed = refused.some(({ sealed = [] }) => sealed.length > 0)
    const withKeys = isSealed ? 'give the secret keys with --identity, ' : ''
    const compacted = refused.flatMap(({ compactedHead }) => compactedHead ?? [])
    const orCompacted = compacted.length === 0 ? '' : 'give --use-compacted to restore the latest record of each key, '
    throw new MaxbrodError('TILING_HOLE', lines.join('; '), {
      holes: refused.flatMap(({ place, holes }) =>
        holes.map(hole => ({ topic: place.topic, partition: place.partition, ...hole })),
      ),
      hint: `${withKeys}${orCompacted}restore the missing objects from the bucket’s versions, or accept the loss with ${refused.map(({ place }) => `--accept-gaps ${partitionName(place)}`).join(' ')}`,
    })
  }
  return partitions.flatMap(partition => [
    ...partition.holes.map(
      ({ from, to }) =>
        `${partitionName(partition.place)}: offsets ${from} to ${to - 1} are missing, which was accepted`,
    ),
    ...(partition.missingHead === undefined
      ? []
      : [
          `${partitionName(partition.place)}: offsets ${partition.missingHead.from} to ${partition.missingHead.to - 1} were backed up once and their files are gone`,
        ]),
    ...partition.tiles.flatMap(({ gaps }) =>
      gaps.map(
        gap =>
          `${partitionName(partition.place)}: Kafka ${gap.reason === 'retention' ? 'no longer had' : 'had a corrupt batch at'} offsets ${gap.from} to ${gap.to - 1} when they should have been backed up (${gap.reason})`,
      ),
    ),
  ])
}
