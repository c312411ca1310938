import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import type { PlanFile, PlanHead } from '../format/plan.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { ExecutorDeps } from './deps.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'

/**
 * Throws BACKUP_NOT_FOUND when the store holds nothing at all of what is planned: then it is another place than the planner's, and
 * every partition would be put aside for a missing file. A store that cannot be asked is not judged here.
 */
export async function seeBackup(
  { kafka, store, nearbyArchives }: Pick<ExecutorDeps, 'kafka' | 'store' | 'nearbyArchives'>,
  planTopic: string,
  head: PlanHead,
  signal: AbortSignal,
): Promise<void> {
  let missing: PlanFile | undefined
  for (let partition = 0; partition < head.planPartitions; partition++) {
    const file = await firstFile(kafka, planTopic, partition, head, signal)
    if (file === undefined) continue
    if (await isThere(store, file.object.key, signal)) return
    missing ??= file
  }
  if (missing === undefined) return
  const nearby = await nearbyArchives().catch(() => [])
  throw new MaxbrodError('BACKUP_NOT_FOUND', `${store.url} holds nothing of what ${planTopic} plans`, {
    hint: `give restore the same --storage, or S3_PREFIX, as plan${nearby.length === 0 ? '' : `: is it one of these? ${nearby.join(', ')}`}`,
    key: missing.object.key,
    nearby,
  })
}

async function firstFile(
  kafka: ExecutorDeps['kafka'],
  planTopic: string,
  partition: number,
  head: PlanHead,
  signal: AbortSignal,
): Promise<PlanFile | undefined> {
  const end = await endOf(kafka, planTopic, partition)
  for await (const { entry } of readPlanEntries(kafka, planTopic, partition, 0, end, head, signal))
    if (entry.kind === 'file') return entry
  return undefined
}

/** The file, or any other of its topic: single files that are gone are a matter of their partition. */
async function isThere(store: ObjectStore, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    if ((await store.head(key, signal)) !== undefined) return true
    for await (const _ of store.list(key.slice(0, key.indexOf('/') + 1), { signal })) return true
    return false
  } catch (error) {
    if (isMaxbrodError(error)) return true
    throw error
  }
}
