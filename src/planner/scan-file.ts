import { scanRecords } from '../catalog/scan-records.ts'
import type { ScannedRecord } from '../catalog/scan-records.ts'
import { parseTileKey } from '../format/keys.ts'
import { must } from '../runtime/assert.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { PlannerDeps } from './deps.ts'

/** How files are read that a header does not tell enough of. */
export interface Scanning {
  readonly maxRecordBytes: number
  readonly signal: AbortSignal
}

const AHEAD_BYTES = 64 * 1024 * 1024

/**
 * Reads a data file from its first record to its last. Throws OBJECT_CORRUPT when it cannot be read to its end, holds others'
 * records, or offsets that do not ascend.
 */
export async function scanFile(
  { store, pool }: Pick<PlannerDeps, 'store' | 'pool'>,
  { key, etag }: { readonly key: string; readonly etag: string },
  { maxRecordBytes, signal }: Scanning,
  take: (record: ScannedRecord) => void,
): Promise<void> {
  const place = must(parseTileKey(key), `the place of ${key}`)
  const limits = { pool, budget: new ByteBudget(AHEAD_BYTES), maxRecordBytes, signal }
  await scanRecords({ store, key, place, etag }, limits, take)
}
