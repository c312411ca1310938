import type { SnapshotKey } from '../../catalog/snapshots.ts'
import { parseReportKey, reportsPrefix } from '../../format/system-keys.ts'
import type { ObjectStore } from '../../storage/port.ts'

/** Reports from before a moment: what they tell is not there any more. Never the newest. */
export async function oldReports(
  store: ObjectStore,
  fromMs: number,
  signal: AbortSignal,
): Promise<readonly SnapshotKey[]> {
  const all: SnapshotKey[] = []
  for await (const { key } of store.list(reportsPrefix, { signal })) {
    const atMs = parseReportKey(key)
    if (atMs !== undefined) all.push({ key, atMs })
  }
  return all.slice(0, -1).filter(({ atMs }) => atMs < fromMs)
}
