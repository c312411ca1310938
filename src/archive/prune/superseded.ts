import { createHash } from 'node:crypto'
import { readPrunes } from '../../catalog/prunes.ts'
import type { StoredPrune } from '../../catalog/prunes.ts'
import { listPartitions, listTiles } from '../../catalog/tile-list.ts'
import type { ListedTile } from '../../catalog/tile-list.ts'
import { tileFactsFromMap } from '../../format/facts.ts'
import type { GenerationFile } from '../../format/generation.ts'
import { partitionFolder } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import type { ErasableStore, ObjectStore } from '../../storage/port.ts'
import type { Doomed } from './delete.ts'
import { isVoid, originalsOf } from './generations.ts'
import type { ReadGeneration } from './generations.ts'
import type { JudgedTopic } from './topics.ts'
import { problemOf } from '../survey.ts'

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

/** Objects that are asked for together. */
const HEADS = 32
/** Files that are read together. */
const READS = 4

export interface SupersedingOptions {
  /** Says what is given up anyway. */
  readonly beginOf: (place: PartitionPlace) => number
  /** The first offset that restoration points need as it was, and not only the latest record of each key. */
  readonly historyFrom: (topic: JudgedTopic, partition: number) => number
  /** Originals go for what is compacted, too. */
  readonly byCompacted: boolean
  /** Reads the bytes of all files that others are to go for: what a store says beside them does not prove that they are there. */
  readonly isProving: boolean
  readonly onBytes: (bytes: number) => void
}

/**
 * Originals and generations that newer generations have taken the place of: finished ones, whose files are there as their seals say.
 * They have the very same records; what is compacted counts for older generations of its kind, and for originals if that is asked
 * for, where no restoration point ends inside of it. As with all files the oldest go first, up to the first that nothing stands
 * for, and the newest of a partition stays, because a worker goes on behind it.
 */
export async function findSuperseded(
  store: ObjectStore,
  topics: readonly JudgedTopic[],
  generations: readonly ReadGeneration[],
  options: SupersedingOptions,
  signal: AbortSignal,
): Promise<Superseded[]> {
  const byFolder = Map.groupBy(generations, ({ place }) => partitionFolder(originalsOf(place)))
  const found: Superseded[] = []
  for (const topic of topics) {
    if (!topic.isSelected) continue
    for (const place of await listPartitions(store, topic.folder, { onForeign: () => undefined, signal })) {
      const historyFrom = options.historyFrom(topic, place.partition)
      const own = (byFolder.get(partitionFolder(place)) ?? []).filter(
        ({ kind, seal }) => kind !== 'compacted' || (seal?.covers.to ?? Infinity) <= historyFrom,
      )
      if (own.length === 0) continue
      const originals: ListedTile[] = []
      for await (const tile of listTiles(store, place, options.beginOf(place), { onForeign: () => undefined, signal }))
        originals.push(tile)
      const one = await supersededIn(store, { place, originals, own }, options, signal)
      if (one.files.length + one.generations.length > 0) found.push(one)
    }
  }
  return found
}

/**
 * To be called when `record` says what is given up for the sake of generations: throws OBJECT_CHANGED, and takes the record back, when
 * another prune gives up one of those, which nobody had finished when that one looked.
 */
export async function requireStanding(
  store: ErasableStore,
  superseded: readonly Superseded[],
  record: StoredPrune | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (superseded.length === 0) return
  const prunes = await readPrunes(store, signal)
  const lost = superseded.flatMap(({ by }) => by).find(one => isVoid(one, prunes))
  if (lost === undefined) return
  if (record !== undefined) await store.delete(record.key, signal)
  const { sealed: key = '' } = lost
  throw new MaxbrodError('OBJECT_CHANGED', `${key} was finished while another prune was taking its files away`, {
    key,
    hint: 'nothing was deleted; run prune again',
  })
}

interface Partition {
  readonly place: PartitionPlace
  readonly originals: readonly ListedTile[]
  readonly own: readonly ReadGeneration[]
}

async function supersededIn(
  store: ObjectStore,
  partition: Partition,
  { byCompacted, isProving, onBytes }: SupersedingOptions,
  signal: AbortSignal,
): Promise<Superseded> {
  const heads = newLimit(HEADS)
  const isThere = (file: GenerationFile) => heads(() => isAsTold(store, file, signal))
  const standing = await wholeOnes(partition.own, isThere)
  const found = await replacedBy(standing, partition, byCompacted, isThere)
  if (!isProving || found.by.length === 0) return found
  const reads = newLimit(READS)
  const holds = (file: GenerationFile) => reads(() => holdsItsBytes(store, file, onBytes, signal))
  const proven = await wholeOnes(found.by, holds)
  return replacedBy(proven, partition, byCompacted, isThere)
}

/** The generations of which each file passes. */
async function wholeOnes(
  generations: readonly ReadGeneration[],
  passes: (file: GenerationFile) => Promise<boolean>,
): Promise<ReadGeneration[]> {
  const whole: ReadGeneration[] = []
  for (const one of generations) {
    if (one.seal === undefined) continue
    const passed = await Promise.all(one.seal.files.map(passes))
    if (passed.every(Boolean)) whole.push(one)
  }
  return whole
}

/** All that a generation was made of, at first or in the end. */
function sourcesOf({ seal }: ReadGeneration): readonly GenerationFile[] {
  return [...(seal?.sources ?? []), ...(seal?.earlier ?? [])]
}

/** What has others in its place, and the generations that these are of. */
async function replacedBy(
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

/** True when an object has the bytes that a seal tells of, whatever stands beside it. */
async function holdsItsBytes(
  store: ObjectStore,
  { key, sha256, storedSha256 = sha256 }: GenerationFile,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    const { body } = await store.get(key, { facts: 'unneeded', signal })
    for await (const chunk of body) {
      hash.update(chunk)
      onBytes(chunk.length)
    }
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    return false
  }
  return hash.digest('hex') === storedSha256
}
