import { readPoint } from '../catalog/restoration-points.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { snapshotsNotAfter } from '../catalog/snapshots.ts'
import { pointsPrefix } from '../format/system-keys.ts'
import type { ObjectStore } from '../storage/port.ts'
import { problemOf } from './survey.ts'

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
    try {
      return await readPoint(store, found, signal)
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      onUnreadable({ key: found.key, problem })
    }
  }
  return undefined
}
