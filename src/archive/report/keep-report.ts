import { writeSnapshot } from '../../catalog/snapshots.ts'
import { reportKey } from '../../format/system-keys.ts'
import type { ObjectStore } from '../../storage/port.ts'

/** Puts a page into the bucket, beside what it tells of; returns its key. Created once, as everything there. */
export async function keepReport(store: ObjectStore, atMs: number, page: string, signal: AbortSignal): Promise<string> {
  const key = reportKey(atMs)
  await writeSnapshot(store, key, Buffer.from(page), signal)
  return key
}
