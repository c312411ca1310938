import { formatBytes } from '../config/units.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Finding } from './finding.ts'
import { ok, warn } from './finding.ts'

/** What a partition may hold back before its file is uploaded: --min-file-size, and a block. */
const PER_PARTITION_BYTES = 6 * 1024 * 1024

/** Creates the folder, as the worker would, and writes to it. Throws DISK. */
export async function lookAtWorkingDir(disk: Disk, folder: string, partitions: number): Promise<Finding> {
  await disk.makeFolder(folder)
  const probe = `${folder}/check`
  await disk.replace(probe, 'written by maxbrod check\n')
  await disk.remove(probe)
  return judgeRoom(folder, await disk.freeBytes(folder), partitions)
}

export function judgeRoom(folder: string, freeBytes: number, partitions: number): Finding {
  const wanted = partitions * PER_PARTITION_BYTES
  const says = `${folder} can be written, with ${formatBytes(freeBytes)} free`
  if (freeBytes >= wanted) return ok('disk', says)
  const fix = 'more workers share the partitions; a larger disk, or a smaller --min-file-size, do as well'
  return warn('disk', `${says}; ${partitions} partitions on one worker may hold ${formatBytes(wanted)}`, fix)
}
