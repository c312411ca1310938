import { readPrunes } from '../../catalog/prunes.ts'
import type { StoredPrune } from '../../catalog/prunes.ts'
import { listPartitions, listTiles } from '../../catalog/tile-list.ts'
import type { ListedTile } from '../../catalog/tile-list.ts'
import type { GenerationFile } from '../../format/generation.ts'
import { partitionFolder } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import type { ErasableStore, ObjectStore } from '../../storage/port.ts'
import { holdsItsBytes, isAsTold } from './as-told.ts'
import { isVoid, originalsOf } from './generations.ts'
import type { ReadGeneration } from './generations.ts'
import { replacedBy } from './replaced-by.ts'
import type { Partition, Superseded } from './replaced-by.ts'
import type { JudgedTopic } from './topics.ts'

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
