import type { RestorationPoint } from '../catalog/restoration-points.ts'
import type { EntryRules } from './entries.ts'
import type { PlanView } from './plan-view.ts'

/**
 * True when what is planned reaches the ends of the point: then no group of its snapshot is ahead of the data. Passes over what a
 * planner passes over, so that both choose the same point.
 */
export function isCovered(
  { partitions }: Pick<RestorationPoint, 'partitions'>,
  plan: Pick<PlanView, 'stretchOf'>,
  mapping: EntryRules['mapping'],
): boolean {
  const renamed = new Map(mapping.rename)
  return partitions.every(({ topic, topic_id: id, partition, log_start: start, end }) => {
    const target = { topic: renamed.get(topic) ?? `${mapping.targetPrefix}${topic}`, partition }
    const planned = plan.stretchOf(target, { topic, topicId: id ?? undefined, partition })
    if (planned === undefined || planned === 'mixed' || start === end) return true
    return planned !== 'another incarnation' && (planned.coverEnd ?? 0) >= end
  })
}
