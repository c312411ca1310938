import type { ListedTile } from '../../catalog/tile-list.ts'
import type { GenerationFile } from '../../format/generation.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { Doomed } from './delete.ts'
import type { ReadGeneration } from './generations.ts'

/** What of one partition and lineage has others in its place. */
export interface Superseded {
  readonly place: PartitionPlace
  /** The oldest originals, whose records are all in a generation that stays. */
  readonly files: readonly ListedTile[]
  /** Older generations, of which the same is true; to go when the originals are gone. */
  readonly generations: readonly Doomed[]
  /** What stands for them. */
  readonly by: readonly ReadGeneration[]
}

/** The files of a partition and lineage, and what was made of them. */
export interface Partition {
  readonly place: PartitionPlace
  readonly originals: readonly ListedTile[]
  readonly own: readonly ReadGeneration[]
}

/** What has others in its place, and the generations that these are of. */
export async function replacedBy(
  standing: readonly ReadGeneration[],
  { place, originals, own }: Partition,
  byCompacted: boolean,
  isThere: (file: GenerationFile) => Promise<boolean>,
): Promise<Superseded> {
  const making = standing.filter(({ kind }) => kind !== 'compacted' || byCompacted)
  const made = new Map(making.flatMap(sourcesOf).map(source => [source.key, source] as const))
  const files: ListedTile[] = []
  for (const file of originals.slice(0, -1)) {
    const told = made.get(file.key)
    if (told === undefined || !(await isThere(told))) break
    files.push(file)
  }
  const left = new Set(originals.slice(files.length).map(({ key }) => key))
  const older = own
    .map(one => ({ one, newer: standing.filter(newer => hasReplaced(newer, one, left, byCompacted)) }))
    .filter(({ newer }) => newer.length > 0)
  const generations = older.map(({ one: { sealed, files: listed } }) => ({
    first: sealed,
    keys: listed.map(({ key }) => key),
  }))
  const gone = new Set(files.map(({ key }) => key))
  const needed = making.filter(one => sourcesOf(one).some(({ key }) => gone.has(key)))
  return { place, files, generations, by: [...new Set([...needed, ...older.flatMap(({ newer }) => newer)])] }
}

/** True when a generation has all that an older one has, and knows of all that is left of what that one was made of. Pure. */
function hasReplaced(
  newer: ReadGeneration,
  older: ReadGeneration,
  left: ReadonlySet<string>,
  byCompacted: boolean,
): boolean {
  const [one, other] = [newer.seal, older.seal]
  if (one === undefined || other === undefined || newer === older) return false
  if (newer.atMs < older.atMs || (newer.atMs === older.atMs && newer.place.generation <= older.place.generation))
    return false
  const isLess = newer.kind === 'compacted' && older.kind !== 'compacted'
  if (isLess && !byCompacted) return false
  const known = new Set(sourcesOf(newer).map(({ key }) => key))
  // Two that were made of the same files at once are one too many; two of different kinds are not.
  const isTwin = newer.kind === older.kind && other.sources.every(({ key }) => known.has(key))
  const isSource = other.files.every(({ key }) => known.has(key))
  const isCovered = one.covers.from <= other.covers.from && other.covers.to <= one.covers.to
  const isForgotten = sourcesOf(older).some(({ key }) => left.has(key) && !known.has(key))
  return isCovered && (isTwin || isSource || isLess) && !isForgotten
}

/** All that a generation was made of, at first or in the end. */
function sourcesOf({ seal }: ReadGeneration): readonly GenerationFile[] {
  return [...(seal?.sources ?? []), ...(seal?.earlier ?? [])]
}
