import type { PlannerDeps } from './deps.ts'
import { scanFile } from './scan-file.ts'
import type { Scanning } from './scan-file.ts'
import type { SurveyedTile } from './surveyed-tile.ts'
import { Times } from './times.ts'

/** The part of a partition's history that is wanted. */
export interface Bounds {
  /** The first offset that is wanted. */
  readonly fromOffset: number | undefined
  /** The first offset that is not wanted any more. */
  readonly toOffset: number | undefined
  /** All up to the first record that is later, as Kafka finds offsets for a time: what follows that one may be earlier again. */
  readonly untilMs: number | undefined
}

/** All of a history. */
export const unbounded: Bounds = { fromOffset: undefined, toOffset: undefined, untilMs: undefined }

/**
 * What is wanted of a partition's files, with exact counts: a file that is cut is read for them, and one in which a cut by time
 * may fall. Throws OBJECT_CORRUPT when such a file cannot be read to its end.
 */
export async function cutHistory(
  deps: Pick<PlannerDeps, 'store' | 'pool'>,
  tiles: readonly SurveyedTile[],
  { fromOffset = 0, toOffset = Infinity, untilMs }: Bounds,
  scanning: Scanning,
): Promise<SurveyedTile[]> {
  const wanted: SurveyedTile[] = []
  for (const whole of tiles) {
    const tile = narrowed(whole, fromOffset, toOffset)
    if (tile === undefined) continue
    const isLater = untilMs !== undefined && tile.timestampMax !== undefined && tile.timestampMax > untilMs
    const cut = isLater || mustBeRead(tile) ? await readPart(deps, tile, untilMs, scanning) : tile
    if (cut.to > cut.from) wanted.push(cut)
    if (cut.to < tile.to) break
  }
  return wanted
}

/** The part of a file within a range of offsets; the file itself when that is all of it. Its counts are those of the whole file. Pure. */
export function narrowed(tile: SurveyedTile, fromOffset: number, toOffset: number): SurveyedTile | undefined {
  const from = Math.max(tile.from, fromOffset)
  const to = Math.min(tile.to, toOffset)
  if (from === tile.from && to === tile.to) return tile
  if (from >= to) return undefined
  const gaps = tile.gaps.filter(gap => gap.from < to && gap.to > from)
  return {
    ...tile,
    from,
    to,
    wholeFrom: tile.wholeFrom ?? (from > tile.from ? tile.from : undefined),
    wholeTo: tile.wholeTo ?? (to < tile.to ? tile.to : undefined),
    gaps: gaps.map(gap => ({ ...gap, from: Math.max(gap.from, from), to: Math.min(gap.to, to) })),
  }
}

/** True for a part whose counts are those of the whole file. */
function mustBeRead({ wholeFrom, wholeTo, dataEnd, to }: SurveyedTile): boolean {
  return wholeFrom !== undefined || (wholeTo !== undefined && dataEnd > to)
}

async function readPart(
  deps: Pick<PlannerDeps, 'store' | 'pool'>,
  tile: SurveyedTile,
  untilMs: number | undefined,
  scanning: Scanning,
): Promise<SurveyedTile> {
  const times = new Times()
  let { to } = tile
  let records = 0
  let dataEnd = tile.from
  await scanFile(deps, tile, scanning, ({ spans: { offset, timestamp } }) => {
    if (offset < tile.from || offset >= to) return
    if (untilMs !== undefined && timestamp > untilMs) to = offset
    else {
      records++
      dataEnd = offset + 1
      times.add(timestamp)
    }
  })
  const whole = narrowed(tile, tile.from, to) ?? { ...tile, to, wholeTo: tile.wholeTo ?? tile.to }
  return { ...whole, records, dataEnd, ...times.values() }
}
