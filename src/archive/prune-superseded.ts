import { listPartitions, listTiles } from '../catalog/tile-list.ts'
import type { ListedTile } from '../catalog/tile-list.ts'
import { tileFactsFromMap } from '../format/facts.ts'
import type { GenerationFile } from '../format/generation.ts'
import { partitionFolder } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { newLimit } from '../runtime/limit.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Doomed } from './prune-delete.ts'
import { originalsOf } from './prune-generations.ts'
import type { ReadGeneration } from './prune-generations.ts'
import type { JudgedTopic } from './prune-topics.ts'

/** What of one partition and lineage has others in its place. */
export interface Superseded {
  readonly place: PartitionPlace
  /** The oldest originals, whose records are all in a generation that stays. */
  readonly files: readonly ListedTile[]
  /** Older generations, of which the same is true; to go when the originals are gone. */
  readonly generations: readonly Doomed[]
}

/** Objects that are asked for together. */
const HEADS = 32

/**
 * Originals and generations that newer generations have taken the place of: those with the very same records, finished, whose
 * files are there as their seals say. As with all files the oldest go first, up to the first that nothing stands for, and the newest
 * of a partition stays, because a worker goes on behind it. `beginOf` says what is given up anyway.
 */
export async function findSuperseded(
  store: ObjectStore,
  topics: readonly JudgedTopic[],
  generations: readonly ReadGeneration[],
  beginOf: (place: PartitionPlace) => number,
  signal: AbortSignal,
): Promise<Superseded[]> {
  const whole = generations.filter(({ kind }) => kind !== 'compacted')
  const byFolder = Map.groupBy(whole, ({ place }) => partitionFolder(originalsOf(place)))
  const found: Superseded[] = []
  for (const { folder, isSelected } of topics) {
    if (!isSelected) continue
    for (const place of await listPartitions(store, folder, { onForeign: () => undefined, signal })) {
      const own = byFolder.get(partitionFolder(place)) ?? []
      if (own.length === 0) continue
      const originals: ListedTile[] = []
      for await (const tile of listTiles(store, place, beginOf(place), { onForeign: () => undefined, signal }))
        originals.push(tile)
      const one = await supersededIn(store, place, originals, own, signal)
      if (one.files.length + one.generations.length > 0) found.push(one)
    }
  }
  return found
}

async function supersededIn(
  store: ObjectStore,
  place: PartitionPlace,
  originals: readonly ListedTile[],
  own: readonly ReadGeneration[],
  signal: AbortSignal,
): Promise<Superseded> {
  const limit = newLimit(HEADS)
  const isThere = (file: GenerationFile) => limit(() => isAsTold(store, file, signal))
  const standing: ReadGeneration[] = []
  for (const one of own) {
    if (one.seal === undefined) continue
    const told = await Promise.all(one.seal.files.map(isThere))
    if (told.every(Boolean)) standing.push(one)
  }
  const made = new Map<string, GenerationFile>()
  for (const { seal } of standing)
    for (const source of [...(seal?.sources ?? []), ...(seal?.earlier ?? [])]) made.set(source.key, source)
  const files: ListedTile[] = []
  for (const file of originals.slice(0, -1)) {
    const told = made.get(file.key)
    if (told === undefined || !(await isThere(told))) break
    files.push(file)
  }
  const left = new Set(originals.slice(files.length).map(({ key }) => key))
  const generations = own
    .filter(one => standing.some(newer => hasReplaced(newer, one, left)))
    .map(({ sealed, files: keys }) => ({ first: sealed, keys: keys.map(({ key }) => key) }))
  return { place, files, generations }
}

/** True when a generation has all that an older one has, and knows of all that is left of what that one was made of. Pure. */
export function hasReplaced(newer: ReadGeneration, older: ReadGeneration, left: ReadonlySet<string>): boolean {
  const [one, other] = [newer.seal, older.seal]
  if (one === undefined || other === undefined || newer === older) return false
  if (newer.atMs < older.atMs || (newer.atMs === older.atMs && newer.place.generation <= older.place.generation))
    return false
  const known = new Set([...one.sources, ...(one.earlier ?? [])].map(({ key }) => key))
  // Two that were made of the same files at once are one too many; two of different kinds are not.
  const isTwin = newer.kind === older.kind && other.sources.every(({ key }) => known.has(key))
  const isSource = other.files.every(({ key }) => known.has(key))
  const isCovered = one.covers.from <= other.covers.from && other.covers.to <= one.covers.to
  const isForgotten = [...other.sources, ...(other.earlier ?? [])].some(({ key }) => left.has(key) && !known.has(key))
  return isCovered && (isTwin || isSource) && !isForgotten
}

/** True for an object that is the very one that a seal tells of, and all of it. */
async function isAsTold(
  store: ObjectStore,
  { key, from, to, bytes, sha256, storedSha256 = sha256 }: GenerationFile,
  signal: AbortSignal,
): Promise<boolean> {
  const head = await store.head(key, signal)
  if (head === undefined || head.bytes !== bytes || head.facts['sha256'] !== storedSha256) return false
  const facts = tileFactsFromMap(head.facts)
  return facts !== undefined && facts.coversTo === to && from < to
}
