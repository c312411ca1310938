import type { Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { countUpload } from './count-upload.ts'
import type { DiskRoom } from '../spool/disk-room.ts'
import type { Lineages } from '../resume/lineages.ts'
import type { PartitionEvents } from './open-partition.ts'
import type { PartitionBackup } from './partition.ts'
import type { Verdict } from '../reading/partition-deps.ts'
import type { SayStoppedDeps } from './say-stopped.ts'
import { sayStopped } from './say-stopped.ts'
import type { UploadedTile } from '../chain/uploaded-tile.ts'

export interface NewsDeps extends SayStoppedDeps {
  readonly room: DiskRoom
  readonly lineages: Lineages
  /** The partition while this ownership of it goes on. */
  readonly running: (ownership: Ownership) => PartitionBackup | undefined
  /** Gives a partition up, and starts it again when it has finished. */
  readonly startAnew: (partition: PartitionBackup, finish: () => Promise<void>) => void
  readonly onTrouble: (error: unknown, ownership: Ownership) => Promise<Verdict>
  readonly onRecords: (topic: string, records: number, bytes: number) => void
  readonly onUploaded: (partition: TopicPartition, tile: UploadedTile) => void
}

/** Who hears of what a partition tells of itself, and what comes of it. */
export function newsOf(deps: NewsDeps, ownership: Ownership, log: Logger): PartitionEvents {
  const { context, tally, room, lineages, running, startAnew } = deps
  const { topic } = ownership
  return {
    onUploaded(tile) {
      tally.uploaded(ownership, tile)
      deps.onUploaded(ownership, tile)
      countUpload(context, topic, tile)
      log.info({ ...tile, gaps: tile.gaps.length === 0 ? undefined : tile.gaps }, 'uploaded')
    },
    onTrouble: error => deps.onTrouble(error, ownership),
    onRecords: (records, bytes) => deps.onRecords(topic, records, bytes),
    onStopped(error) {
      sayStopped(deps, ownership, error, running(ownership)?.drained(), log)
    },
    /** What was read of the topic is kept, and a new topic of that name begins a folder of its own. */
    onTopicReplaced() {
      const partition = running(ownership)
      if (partition === undefined) return
      log.warn({ topicId: partition.identity.topicId }, 'the topic was deleted; keeping what was read of it')
      startAnew(partition, () => partition.retire())
    },
    /** Kafka lost records that were read. What is durable of them stays; the log is read again from the end of the chain. */
    onDiverged(divergence) {
      const partition = running(ownership)
      if (partition === undefined) return
      lineages.diverged(ownership, divergence, log)
      startAnew(partition, () => partition.drained())
    },
    isDiskFull: () => room.isFull,
    onDiskFull: error => room.filled(error),
  }
}
