import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'

/** URLs of folders that do exist near the one that was asked for; empty when nothing can be said. */
export type NearbyArchives = () => Promise<readonly string[]>

/** Of many topics, so many are named. */
const NAMED = 10

/** True for the error that tells of a place without a topic: whatever was selected, there is none. */
export function isWithoutTopics(error: unknown): boolean {
  return isMaxbrodError(error, 'BACKUP_NOT_FOUND') && error.facts['nearby'] !== undefined
}

/** The error for a selection without a file: what was asked for, as the user wrote it. `topics` are those that the backup does hold. */
export async function backupNotFound(
  store: ObjectStore,
  topics: readonly string[],
  nearbyArchives: NearbyArchives,
  asked = '--topics',
): Promise<MaxbrodError> {
  if (topics.length > 0) {
    const shown = topics.toSorted().slice(0, NAMED).join(', ')
    return new MaxbrodError(
      'BACKUP_NOT_FOUND',
      `${asked} matches none of the ${topics.length} topics in ${store.url}`,
      {
        hint: `the backup holds ${shown}${topics.length > NAMED ? ', …' : ''}`,
      },
    )
  }
  const nearby = await nearbyArchives().catch(() => [])
  return new MaxbrodError('BACKUP_NOT_FOUND', `there is no backup in ${store.url}`, {
    hint:
      nearby.length === 0 ? 'check the bucket and the prefix in --storage' : `is it one of these? ${nearby.join(', ')}`,
    nearby,
  })
}
