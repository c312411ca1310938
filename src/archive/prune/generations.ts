import { listGenerations, readSeal } from '../../catalog/generations.ts'
import type { ListedGeneration } from '../../catalog/generations.ts'
import type { Prunes } from '../../catalog/prunes.ts'
import type { GenerationSeal } from '../../format/generation.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { ObjectStore } from '../../storage/port.ts'
import type { ListedTile } from '../../catalog/tile-list.ts'
import { partitionFolder, sealKey } from '../../format/keys.ts'
import type { Doomed } from './delete.ts'
import type { Saying } from './history.ts'
import { fits, holesOf } from '../stand-ins.ts'
import { problemOf } from '../survey.ts'

const DAY_MS = 24 * 3_600_000
/** Who has written the last file reads all of them back before the seal: at this rate at least. */
const READ_BACK_BYTES_PER_MS = (1024 * 1024) / 1_000

/** What lies beside the originals, as listing and seal show it. */
export interface ReadGeneration extends Pick<ListedGeneration, 'place' | 'kind' | 'atMs' | 'files'> {
  /** Key of the seal; undefined for what nobody finished. */
  readonly sealed: string | undefined
  /** Undefined also for one that is damaged: verify names it, and somebody should look. */
  readonly seal: GenerationSeal | undefined
}

/** All generations of the archive. */
export async function readGenerations(store: ObjectStore, signal: AbortSignal): Promise<ReadGeneration[]> {
  const read: ReadGeneration[] = []
  for (const generation of await listGenerations(store, { onForeign: () => undefined, signal })) {
    const { place, kind, atMs, files, seal } = generation
    read.push({ place, kind, atMs, files, sealed: seal?.key, seal: await sealOf(store, generation, signal) })
  }
  return read
}

/** Where the originals lie that a generation was made of. */
export function originalsOf({ topic, topicId, partition, lineage }: PartitionPlace): PartitionPlace {
  return { topic, topicId, partition, lineage }
}

/** Files of a generation that go. */
export interface OldGeneration extends Doomed {
  /** Of what nobody finished: the key of the seal that must still be missing when they go. */
  readonly unlessSealed?: string
}

/**
 * Files that were made of others and that nothing needs any more, one queue for each generation: those of which all that they
 * cover is given up, and those that nobody finished for a day and for as long as they can take to be read back. The seal goes
 * first: files without one count for nothing. Pure.
 */
export function oldGenerations(
  generations: readonly ReadGeneration[],
  beginOf: (place: PartitionPlace) => number,
  nowMs: number,
): OldGeneration[] {
  return generations.flatMap(({ place, atMs, files, sealed, seal }): OldGeneration[] => {
    const keys = files.map(({ key }) => key)
    if (sealed === undefined) {
      const touchedMs = files.reduce((newest, { modifiedAtMs }) => Math.max(newest, modifiedAtMs), atMs)
      const patienceMs = DAY_MS + files.reduce((sum, { bytes }) => sum + bytes, 0) / READ_BACK_BYTES_PER_MS
      return touchedMs < nowMs - patienceMs ? [{ keys, unlessSealed: sealKey(place) }] : []
    }
    const isGivenUp = seal !== undefined && seal.covers.to <= beginOf(originalsOf(place))
    return isGivenUp ? [{ first: sealed, keys }] : []
  })
}

/**
 * Those that may go now, when a record says so: who made the others slept, and has finished them since. From now on nobody takes
 * anything out for their sake, see `isVoid`.
 */
export async function stillUnfinished(
  store: ObjectStore,
  generations: readonly OldGeneration[],
  signal: AbortSignal,
): Promise<OldGeneration[]> {
  const still: OldGeneration[] = []
  for (const one of generations)
    if (one.unlessSealed === undefined || (await store.head(one.unlessSealed, signal)) === undefined) still.push(one)
  return still
}

/**
 * True for a generation that some prune gave up as one that nobody finished: that its seal is there now does not say that its
 * files stay. Pure.
 */
export function isVoid({ sealed, seal }: ReadGeneration, prunes: Pick<Prunes, 'hasRemoved'>): boolean {
  if (sealed === undefined || prunes.hasRemoved(sealed)) return false
  return seal?.files.some(({ key }) => prunes.hasRemoved(key)) === true
}

/**
 * The files with the records that were in a chain before its first original, as far as they are there, in the order of their
 * offsets, and what the seals say of them. Pure.
 */
export function filesBefore(
  generations: readonly ReadGeneration[],
  chain: PartitionPlace,
  { begin, first }: { readonly begin: number; readonly first: number },
): { readonly files: readonly ListedTile[]; readonly told: ReadonlyMap<string, Saying> } {
  const own = generations
    .filter(({ kind, place }) => kind !== 'compacted' && partitionFolder(originalsOf(place)) === partitionFolder(chain))
    .toSorted((a, b) => b.atMs - a.atMs)
  const holes = holesOf([{ from: first, to: Infinity }])
  const files: ListedTile[] = []
  const told = new Map<string, Saying>()
  for (const { seal, files: listed } of own) {
    const said = new Map(seal?.files.map(file => [file.key, file]))
    for (const file of listed) {
      const one = said.get(file.key)
      if (one === undefined || one.from < begin || !fits(one, holes)) continue
      files.push(file)
      told.set(file.key, { to: one.to, records: one.records, timestampMax: seal?.timestampMax })
    }
  }
  return { files: files.toSorted((a, b) => a.place.from - b.place.from), told }
}

async function sealOf(
  store: ObjectStore,
  generation: ListedGeneration,
  signal: AbortSignal,
): Promise<GenerationSeal | undefined> {
  try {
    return await readSeal(store, generation, signal)
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    return undefined
  }
}
