import { usualRestoreGroup } from '../format/restore-group.ts'
import type { CommittedOffset, GroupListing } from '../kafka/port/admin.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { PlannerDeps } from './deps.ts'

/** States in which a group has no member, or may have none. */
const IDLE = new Set<GroupListing['state']>(['Empty', 'Dead', undefined])

/**
 * Throws GROUP_ACTIVE while executors are members of a group that has begun with the plan, whatever it is called: each commits as
 * soon as it has read its plan partitions. What they had committed is of no use any more.
 */
export async function requireNobodyAtWork(
  { kafka: { admin }, log }: PlannerDeps,
  planTopic: string,
  partitions: readonly number[],
): Promise<void> {
  const all = (await admin.groups()).filter(({ type }) => type !== 'share') // which commit nothing
  const { offsets, failed } = await admin.groupOffsets(all.map(({ group }) => group))
  if (failed.size > 0)
    log.warn(
      { groups: [...failed.keys()].slice(0, 20) },
      `cannot tell whether ${failed.size} groups restore from ${planTopic}: grant Describe on them`,
    )
  const hasRead = ({ group }: GroupListing) =>
    [...(offsets.get(group)?.keys() ?? [])].some(({ topic }) => topic === planTopic)
  const own = usualRestoreGroup(planTopic)
  const readers = all.filter(listing => listing.group === own || hasRead(listing))
  const active = readers.filter(({ state }) => !IDLE.has(state)).map(({ group }) => group)
  if (active.length > 0)
    throw new MaxbrodError('GROUP_ACTIVE', `executors restore from ${planTopic} in ${active.join(', ')}`, {
      groups: active,
      hint: 'stop them, wait for their session time-out (30 s), and try again',
    })
  // A listing may be old. The coordinator refuses this while there is a member.
  const nothing: CommittedOffset = { offset: 0, metadata: '' }
  const start = new PartitionMap(partitions.map(partition => [{ topic: planTopic, partition }, nothing] as const))
  for (const group of new Set([own, ...readers.map(reader => reader.group)]))
    await admin.commitFromOutside(group, start)
}
