import { DecodeError } from '../format/batch/varint.ts'
import { plainFacts } from '../format/facts.ts'
import { parsePruneKey, pruneKey, prunesPrefix } from '../format/system-keys.ts'
import { partitionFolder, tileKey } from '../format/keys.ts'
import type { PartitionPlace, TileKey } from '../format/keys.ts'
import { decodePruneRecord, encodePruneRecord } from '../format/prune-record.ts'
import type { PruneRecord } from '../format/prune-record.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import { newLimit } from '../runtime/limit.ts'
import type { ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'

/** A prune's record, and the moment that its key names. */
export interface StoredPrune extends PruneRecord {
  readonly key: string
  readonly atMs: number
}

const MAX_BYTES = 256 * 1024 * 1024
/** So many prunes do not begin in the same moment. */
const MAX_TRIES = 100
/** Read at the same time: a small request each, and there are as many as there were prunes. */
const RECORDS = 32

/**
 * Where the files of each partition begin, as the prunes of this archive say. What lies before was given up when the record
 * was written: a file that is still there is on its way out and does not count, and one that is gone is not missing.
 */
export class Prunes {
  /** Records that cannot be read: what they explain is not explained. */
  readonly damaged: readonly MaxbrodError[]
  readonly #given: GivenUp

  constructor(given = new GivenUp(), damaged: readonly MaxbrodError[] = []) {
    this.#given = given
    this.damaged = damaged
  }

  /** These, and one that was written since. */
  and(record: PruneRecord): Prunes {
    const given = new GivenUp(this.#given)
    given.add(record)
    return new Prunes(given, this.damaged)
  }

  /** The first offset of a chain whose file must be there; 0 for one that was never pruned. */
  beginOf(place: PartitionPlace): number {
    return this.#given.begins.get(partitionFolder(place)) ?? 0
  }

  /** True for a file that was given up. */
  isPruned({ from, ...place }: PartitionPlace & { readonly from: number }): boolean {
    return from < this.beginOf(place)
  }

  /** True for another object that was given up, and for a file in whose place others were put. */
  hasRemoved(key: string): boolean {
    return this.#given.objects.has(key)
  }

  /** True when the file that began there was given up because others have its records. */
  hasReplaced(place: PartitionPlace, from: number): boolean {
    return [false, true].some(isEncrypted => this.#given.objects.has(tileKey(place, from, isEncrypted)))
  }

  /** True for a data file that was given up, in either way. */
  isGivenUp({ key, place }: { readonly key: string; readonly place: TileKey }): boolean {
    return this.isPruned(place) || this.hasRemoved(key)
  }
}

/** What records say together: as much as the archive is wide, however many prunes there were. */
class GivenUp {
  readonly begins: Map<string, number>
  readonly objects: Set<string>

  constructor({ begins, objects }: Partial<Pick<GivenUp, 'begins' | 'objects'>> = {}) {
    this.begins = new Map(begins)
    this.objects = new Set(objects)
  }

  add({ partitions, objects }: PruneRecord): void {
    for (const { place, to } of partitions) {
      const folder = partitionFolder(place)
      this.begins.set(folder, Math.max(to, this.begins.get(folder) ?? 0))
    }
    for (const key of objects) this.objects.add(key)
  }
}

/** All prunes of the archive. */
export async function readPrunes(store: ObjectStore, signal?: AbortSignal): Promise<Prunes> {
  const given = new GivenUp()
  const damaged = await readRecords(store, signal, record => given.add(record))
  return new Prunes(given, damaged)
}

/** All prunes of the archive, and those of them up to a moment. Each record is read once. */
export async function readPrunesAndThose(
  untilMs: number,
  store: ObjectStore,
  signal?: AbortSignal,
): Promise<{ readonly all: Prunes; readonly until: Prunes }> {
  const [all, until] = [new GivenUp(), new GivenUp()]
  const damaged = await readRecords(store, signal, (record, atMs) => {
    all.add(record)
    if (atMs <= untilMs) until.add(record)
  })
  return { all: new Prunes(all, damaged), until: new Prunes(until, damaged) }
}

/** Calls `take` with each record and its moment, in any order; returns why others cannot be read. */
async function readRecords(
  store: ObjectStore,
  signal: AbortSignal | undefined,
  take: (record: PruneRecord, atMs: number) => void,
): Promise<MaxbrodError[]> {
  const reading: Promise<MaxbrodError | undefined>[] = []
  const limit = newLimit(RECORDS)
  const budget = new ByteBudget(MAX_BYTES)
  for await (const { key, bytes } of store.list(prunesPrefix, { signal })) {
    const atMs = parsePruneKey(key)
    if (atMs === undefined) continue
    const record = limit(async () => {
      using _ = await budget.take(Math.min(bytes, MAX_BYTES), signal)
      const read = await readOne(store, key, signal)
      if (read instanceof MaxbrodError) return read
      if (read !== undefined) take(read, atMs)
      return undefined
    })
    record.catch(() => undefined) // awaited below
    reading.push(record)
  }
  return (await Promise.all(reading)).filter(error => error !== undefined)
}

async function readOne(
  store: ObjectStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<PruneRecord | MaxbrodError | undefined> {
  try {
    const content = await readWhole(store, key, MAX_BYTES, signal)
    return content === undefined ? undefined : decodePruneRecord(content)
  } catch (error) {
    if (error instanceof DecodeError)
      return new MaxbrodError('OBJECT_CORRUPT', `${key}: ${error.message}`, { key, cause: error })
    if (isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_LIMIT')) return error
    throw error
  }
}

/** The error of who reads a file that was there: one that is missing says if a prune took it. */
export async function toldIfPruned(
  store: ObjectStore,
  key: string,
  place: PartitionPlace & { readonly from: number },
  error: unknown,
): Promise<unknown> {
  if (!isMaxbrodError(error, 'OBJECT_MISSING')) return error
  // Looking must not add a second error to the first.
  const prunes = await readPrunes(store).catch(() => undefined)
  const isReplaced = prunes?.hasRemoved(key) === true
  if (prunes?.isPruned(place) !== true && !isReplaced) return error
  const then = isReplaced ? 'takes the files that stand in its place' : 'begins behind what was pruned'
  return new MaxbrodError('OBJECT_MISSING', `${key} was pruned after it was planned`, {
    key,
    cause: error,
    hint: `plan again into a new --plan-topic: it ${then}; --grace of maxbrod prune leaves time for restores`,
  })
}

/** Writes a record under the time `atMs`, or the next one that is free: of two prunes at once both are remembered. */
export async function writePrune(
  store: ObjectStore,
  record: PruneRecord,
  atMs: number,
  signal?: AbortSignal,
): Promise<StoredPrune> {
  const content = encodePruneRecord(record)
  for (let at = atMs; at < atMs + MAX_TRIES; at++) {
    const key = pruneKey(at)
    const isOurs =
      (await store.put(key, bodyOf(content), plainFacts(content), signal)).created ||
      // By an attempt of our own whose answer was lost.
      (await readWhole(store, key, MAX_BYTES, signal))?.equals(content) === true
    if (isOurs) return { ...record, key, atMs: at }
  }
  throw new MaxbrodError('STORAGE_UNREACHABLE', `${pruneKey(atMs)} is taken, and so are the next ${MAX_TRIES} keys`)
}
