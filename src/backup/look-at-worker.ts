import type { DiskRoom } from './spool/disk-room.ts'
import type { WorkerMemory } from './memory.ts'
import type { PartitionBackup } from './partition/partition.ts'
import type { BackupTally } from './result.ts'
import type { PartitionView, WorkerView } from './view.ts'

export interface Viewed {
  readonly group: string
  readonly partitions: Iterable<PartitionBackup>
  readonly tally: BackupTally
  readonly memory: WorkerMemory
  readonly room: DiskRoom
}

/** Asks nobody: for who looks every few seconds. */
export function viewOf({ group, partitions, tally, memory, room }: Viewed): WorkerView {
  const all = Array.from(partitions, partitionView)
  return {
    group,
    partitions: all.toSorted((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition)),
    done: tally.result([]),
    memoryBytes: memory.budget.usedBytes,
    isDiskFull: room.isFull,
  }
}

function partitionView(partition: PartitionBackup): PartitionView {
  const { ownership, origin, committedTo, position, knownEnd, bufferedBytes, bufferedAgeMs } = partition
  return {
    topic: ownership.topic,
    partition: ownership.partition,
    origin: Math.min(origin, committedTo),
    durableTo: committedTo,
    readTo: Math.max(position, committedTo),
    end: knownEnd,
    bufferedBytes,
    bufferedAgeMs,
  }
}
