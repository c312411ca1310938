import type { PartitionPlace } from '../../format/keys.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import { PartitionCursor } from '../reading/partition-cursor.ts'
import type { PartitionDeps, PartitionOptions } from '../reading/partition-deps.ts'
import { PartitionEnding } from './partition-ending.ts'
import { PartitionReader } from '../reading/partition-reader.ts'
import type { ResumePoint } from '../resume/resume.ts'
import type { SpooledTile } from '../spool/spooled-tile.ts'
import { TileChain } from '../chain/tile-chain.ts'

/** Complete tiles that may wait for their upload before the partition is read on. */
const WAITING_TILES = 2

/** What a partition of the worker consists of. */
export interface PartitionParts {
  /** The tiles that it becomes. */
  readonly chain: TileChain
  /** How far it was read. */
  readonly cursor: PartitionCursor
  /** The talk with its leader. */
  readonly reader: PartitionReader
  readonly ending: PartitionEnding
}

/** What a worker begins with when it gets a partition. */
export interface PartitionStart {
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly ownership: Ownership
  readonly resume: ResumePoint
  readonly options: PartitionOptions
  /** What the spool has behind the resume point. */
  readonly spooled: readonly SpooledTile[]
}

/** Puts the parts together, at the resume point and behind what the spool has. */
export function assemblePartition(
  { place, identity, ownership, resume, options, spooled }: PartitionStart,
  deps: PartitionDeps,
): PartitionParts {
  const chain: TileChain = new TileChain(
    place,
    identity,
    ownership,
    resume,
    options,
    {
      ...deps,
      isSameTopic: async () => (await reader.topic.mayUpload()) || isReplaced(),
      onMoved(position, barrier) {
        cursor.moveTo(position, barrier)
        reader.moved()
      },
      async onTrouble(error) {
        const verdict = await deps.onTrouble(error)
        if (verdict === 'stop') ending.stop(error)
        return verdict === 'try again' ? verdict : 'stop'
      },
      leaderEpoch: () => reader.askedAt,
      lastEpoch: () => cursor.lastEpoch,
    },
    spooled,
  )
  const last = spooled.length > 0 ? chain.lastBatch : { leaderEpoch: resume.leaderEpoch, codec: undefined }
  const cursor: PartitionCursor = new PartitionCursor(last, resume.barrier, { ...deps, place, chain })
  const reader: PartitionReader = new PartitionReader(
    { place, identity, ownership, onCorrupt: options.onCorrupt },
    {
      ...deps,
      cursor,
      hasRoom: () => chain.waiting < WAITING_TILES,
      stop: error => ending.stop(error),
      stopReading: error => void ending.stopReading(error),
    },
  )
  const memory = deps.memory.join(cursor.intake)
  const ending = new PartitionEnding({ state: reader.state, cursor, chain, memory, onStopped: deps.onStopped })
  return { chain, cursor, reader, ending }

  /** What is not durable may be of another topic by now, which has its name. */
  function isReplaced(): false {
    deps.log.warn(
      { from: chain.committedTo, to: cursor.position },
      'the topic was created anew: dropping what was read since the last file',
    )
    void ending.discard()
    deps.onTopicReplaced()
    return false
  }
}
