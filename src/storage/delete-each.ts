import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import type { ErasableStore, NotDeleted } from './port.ts'

/** Deletes one object after the other, for stores that know no request for many. Those that it may not delete are returned. */
export async function deleteEach(
  store: Pick<ErasableStore, 'delete'>,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<NotDeleted[]> {
  const stay: NotDeleted[] = []
  for (const key of keys) {
    try {
      await store.delete(key, signal)
    } catch (error) {
      if (!isMaxbrodError(error, 'STORAGE_AUTH', 'STORAGE_REFUSED')) throw error
      stay.push({ key, reason: messageOf(error) })
    }
  }
  return stay
}
