import { readPoint } from '../catalog/restoration-points.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { snapshotsNotAfter } from '../catalog/snapshots.ts'
import { pointsPrefix } from '../format/system-keys.ts'
import type { ObjectStore } from '../storage/port.ts'
import { unlessDamaged } from './unless-damaged.ts'

/** An object that cannot be read, and why, as a sentence about it. */
export interface Unreadable {
  readonly key: string
  readonly problem: string
}

/** The newest restoration point not after a moment that can be read; those that cannot are told. */
export async function newestPoint(
  store: ObjectStore,
  atMs: number,
  onUnreadable: (found: Unreadable) => void,
  signal: AbortSignal,
): Promise<RestorationPoint | undefined> {
  for await (const found of snapshotsNotAfter(store, pointsPrefix, atMs, signal)) {
    const reading = readPoint(store, found, signal)
    const point = await unlessDamaged(reading, problem => onUnreadable({ key: found.key, problem }))
    if (point !== undefined) return point
  }
  return undefined
}
