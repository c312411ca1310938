import type { PartitionBackup } from './partition/partition.ts'

/** What of a partition lies on the disk, and the way to get it off. */
export type RoomTaker = Pick<PartitionBackup, 'openSpoolBytes' | 'waiting' | 'closeForRoom'>

/**
 * Has the largest files that are being filled uploaded, so that the disk has room again: half of what lies there, so that the
 * rest may still grow to its usual size. While files wait for their upload already, room comes from these.
 */
export function makeRoom(partitions: Iterable<RoomTaker>): void {
  const bySize = [...partitions].toSorted((a, b) => b.openSpoolBytes - a.openSpoolBytes)
  if (bySize.some(({ waiting }) => waiting > 0)) return
  let left = bySize.reduce((sum, { openSpoolBytes }) => sum + openSpoolBytes, 0) / 2
  for (const partition of bySize) {
    if (left <= 0) return
    left -= partition.openSpoolBytes
    partition.closeForRoom()
  }
}
