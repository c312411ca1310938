import type { GenerationSeal } from '../../format/generation.ts'
import type { Job, LeftOutPartition } from './find-jobs.ts'

/** What `maxbrod compact` did. */
export interface Compaction {
  readonly isDryRun: boolean
  readonly made: readonly MadeGeneration[]
  /** Partitions of which all is there that can be made. */
  readonly upToDate: number
  readonly leftOut: readonly LeftOutPartition[]
}

/** What was made of a partition's files, or would be. */
export interface MadeGeneration {
  readonly topic: string
  readonly folder: string
  readonly partition: number
  readonly generation: string
  readonly from: number
  readonly to: number
  readonly sources: Sum
  /** Undefined in a dry run: only reading tells. */
  readonly files: Sum | undefined
  readonly droppedTombstones: number
}

export interface Sum {
  readonly files: number
  readonly records: number
  readonly bytes: number
}

/** Of a job that is not done. */
export function wouldMake({ folder, place, sources }: Job): MadeGeneration {
  return {
    topic: place.topic,
    folder,
    partition: place.partition,
    generation: place.generation,
    from: sources[0]?.from ?? 0,
    to: sources.at(-1)?.to ?? 0,
    sources: sumOf(sources.map(({ bytes, header }) => ({ bytes, records: header.content.records }))),
    files: undefined,
    droppedTombstones: 0,
  }
}

export function hasMade(job: Job, { files, sources, droppedTombstones }: GenerationSeal): MadeGeneration {
  const dropped = droppedTombstones?.records ?? 0
  return { ...wouldMake(job), sources: sumOf(sources), files: sumOf(files), droppedTombstones: dropped }
}

function sumOf(files: readonly { readonly records: number; readonly bytes: number }[]): Sum {
  return {
    files: files.length,
    records: files.reduce((sum, { records }) => sum + records, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
