import type { ListedTile } from '../catalog/tile-list.ts'
import type { PlannerDeps } from './deps.ts'
import { scanFile } from './scan-file.ts'
import type { Scanning } from './scan-file.ts'
import { Times } from './times.ts'

/** What a file of kafka-data-keep holds: its header says nothing, so that it is read in full. */
export interface CountedFile {
  readonly records: number
  /** The offset behind the last record. */
  readonly to: number
  readonly recordBytesMax: number
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
}

/** Counts the records of a file of kafka-data-keep. Throws OBJECT_CORRUPT when it cannot be read to its end, or holds others' records. */
export async function countDataKeepFile(deps: PlannerDeps, file: ListedTile, scanning: Scanning): Promise<CountedFile> {
  const times = new Times()
  let records = 0
  let to = file.place.from
  let recordBytesMax = 0
  await scanFile(deps, file, scanning, ({ spans, start, end }) => {
    records++
    to = spans.offset + 1
    recordBytesMax = Math.max(recordBytesMax, end - start)
    times.add(spans.timestamp)
  })
  return { records, to, recordBytesMax, ...times.values() }
}
