import { parseTileKey } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { cutHistory, unbounded } from './cut-history.ts'
import type { PlannerDeps } from './deps.ts'
import { fingerprintOf } from '../catalog/record-fingerprint.ts'
import { scanFile } from './scan-file.ts'
import type { Scanning } from './scan-file.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

type Deps = Pick<PlannerDeps, 'store' | 'pool'>

/**
 * Files of kafka-data-keep overlap: what it had uploaded and not committed, it reads again. Each record is taken once: from
 * either file where both have the same, from the one that has more where compaction took some in between. Throws TILING_HOLE
 * where two files hold different records at an offset, or each some that the other lacks. Our own files do not overlap, and are
 * left for the audit, but for one case: a plain and an encrypted one have two names, so that a worker which is already encrypting
 * and one that is not yet do not find each other's. `tiles` are in the order of their first offsets.
 */
export async function mergeOverlaps(
  deps: Deps,
  tiles: readonly SurveyedTile[],
  scanning: Scanning,
): Promise<SurveyedTile[]> {
  let merged: SurveyedTile[] = []
  for (const tile of tiles) {
    const last = merged.at(-1)
    const isOverlap = last !== undefined && isDataKeep(last) && isDataKeep(tile) && tile.from < last.to
    if (last !== undefined && isTwin(last, tile)) merged.push(...(await restOfTwin(deps, merged, tile, scanning)))
    else if (isOverlap) merged = await withOverlapping(deps, merged, tile, last.to, scanning)
    else merged.push(tile)
  }
  return merged
}

function isDataKeep({ clusterId }: SurveyedTile): boolean {
  return clusterId === undefined
}

function isTwin(one: SurveyedTile, other: SurveyedTile): boolean {
  const isSealed = ({ key }: SurveyedTile) => parseTileKey(key)?.isEncrypted
  return !isDataKeep(one) && !isDataKeep(other) && other.from < one.to && isSealed(one) !== isSealed(other)
}

/** What a file has behind the merged ones, which hold the same before that. */
async function restOfTwin(
  deps: Deps,
  merged: readonly SurveyedTile[],
  tile: SurveyedTile,
  scanning: Scanning,
): Promise<SurveyedTile[]> {
  const end = merged.reduce((most, { to }) => Math.max(most, to), 0)
  const touched = merged.filter(({ to }) => to > tile.from)
  await compare(deps, touched, tile, Math.min(end, tile.to), scanning)
  return cutHistory(deps, [tile], { ...unbounded, fromOffset: end }, scanning)
}

/** The merged files, which end at `end`, and one more that begins before that. */
async function withOverlapping(
  deps: Deps,
  merged: readonly SurveyedTile[],
  tile: SurveyedTile,
  end: number,
  scanning: Scanning,
): Promise<SurveyedTile[]> {
  const at = merged.findIndex(({ to }) => to > tile.from)
  const touched = merged.slice(at)
  const isNewRicher = await compare(deps, touched, tile, Math.min(end, tile.to), scanning)
  const part = (whole: readonly SurveyedTile[], fromOffset: number, toOffset: number) =>
    cutHistory(deps, whole, { ...unbounded, fromOffset, toOffset }, scanning)
  const parts = isNewRicher
    ? [...(await part(touched, 0, tile.from)), tile, ...(await part(touched, tile.to, Infinity))]
    : [...touched, ...(await part([tile], end, Infinity))]
  return [...merged.slice(0, at), ...parts.filter(({ records }) => records > 0)]
}

/** True when the new file has all records of the others below `below` and more; false when they have all of its. */
async function compare(
  deps: Deps,
  merged: readonly SurveyedTile[],
  tile: SurveyedTile,
  below: number,
  scanning: Scanning,
): Promise<boolean> {
  const there = await fingerprints(deps, merged, tile.from, below, scanning)
  const new_ = await fingerprints(deps, [tile], tile.from, below, scanning)
  let same = 0
  for (const [offset, fingerprint] of new_) {
    const other = there.get(offset)
    if (other === undefined) continue
    if (other !== fingerprint) throw conflict(merged, tile, `different records at offset ${offset}`)
    same++
  }
  if (same < new_.size && same < there.size) throw conflict(merged, tile, 'each some that the other lacks')
  return same < new_.size
}

async function fingerprints(
  deps: Deps,
  tiles: readonly SurveyedTile[],
  from: number,
  below: number,
  scanning: Scanning,
): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (const tile of tiles) {
    const [start, end] = [Math.max(from, tile.from), Math.min(below, tile.to)]
    if (start >= end) continue
    await scanFile(deps, tile, scanning, record => {
      const { offset } = record.spans
      if (offset >= start && offset < end) found.set(offset, fingerprintOf(record))
    })
  }
  return found
}

function conflict(merged: readonly SurveyedTile[], { key, from }: SurveyedTile, what: string): MaxbrodError {
  const other = merged.find(tile => tile.to > from)?.key ?? ''
  return new MaxbrodError('TILING_HOLE', `${other} and ${key} overlap and hold ${what}`, {
    key,
    other,
    hint: 'move one of them away; which one is right only their writers can tell',
  })
}
