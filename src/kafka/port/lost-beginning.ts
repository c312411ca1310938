import { isMaxbrodError } from '../../runtime/errors.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { ClusterAdmin } from './admin.ts'

/**
 * Where a log begins now, if `error`, which reading it from an offset on ended in, comes from its no longer going back to that
 * offset; undefined if it has another cause. An answer that an offset is out of range does not say on which side.
 */
export async function lostBeginning(
  { admin }: { readonly admin: Pick<ClusterAdmin, 'offsets'> },
  where: TopicPartition,
  from: number,
  error: unknown,
): Promise<number | undefined> {
  if (!isMaxbrodError(error, 'KAFKA_PROTOCOL')) return undefined
  const start = (await admin.offsets('log start', [where])).offsets.get(where) ?? 0
  return start > from ? start : undefined
}
