import type { ListedTile } from '../../catalog/tile-list.ts'
import { tileFactsFromMap } from '../../format/facts.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { PrunedRange } from '../../format/prune-record.ts'
import type { ObjectStore } from '../../storage/port.ts'
import type { Limits } from './rules.ts'
import { whyKept, wholeRange } from './verdict.ts'
import type { Candidate } from './verdict.ts'
import { surveyFile } from '../survey.ts'

/** The files of one partition and lineage that no prune has given up yet, in the order of their offsets. */
export interface ListedChain {
  readonly place: PartitionPlace
  /** Originals, and in front of them those of generations that have the records of originals that are gone. */
  readonly files: readonly ListedTile[]
  /** What is known of some of them, by key. */
  readonly told?: ReadonlyMap<string, Saying>
}

/** The oldest files of a chain, which may go. */
export interface OldFiles {
  readonly range: PrunedRange
  /** Originals: what was made of others goes when all of it is given up. */
  readonly files: readonly ListedTile[]
}

export interface JudgedPartition {
  readonly old: readonly OldFiles[]
  /** Files that stay, and why the first of them does; undefined when none does. */
  readonly kept:
    | { readonly files: number; readonly bytes: number; readonly from: number; readonly why: string }
    | undefined
}

export interface HistoryFacts {
  readonly nowMs: number
  /** The first offset that restoration points need. */
  readonly needed: number
  /** Kafka has another topic of that name: no worker goes on behind the newest file. */
  readonly isOver: boolean
}

/** Headers that are read together: most runs need few of them. */
const AHEAD = 8
const NEWEST = 'the newest of its partition: a worker goes on behind it'

/**
 * Which of a partition's files may go: the oldest ones, up to the first that stays. `chains` are its lineages in their order:
 * a later one loses nothing while an earlier one has a file left, or there would be a hole between them.
 */
export async function judgeHistory(
  store: ObjectStore,
  chains: readonly ListedChain[],
  limits: Limits,
  { nowMs, needed, isOver }: HistoryFacts,
  signal: AbortSignal,
): Promise<JudgedPartition> {
  const old: OldFiles[] = []
  let newerBytes = chains.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0)
  let keptFiles = chains.reduce((sum, { files }) => sum + files.length, 0)
  for (const [n, { place, files, told }] of chains.entries()) {
    const isNewest = n === chains.length - 1 && !isOver
    const going: Read[] = []
    let why: string | undefined
    for await (const file of readInOrder(store, files, told, signal)) {
      newerBytes -= file.bytes
      why =
        isNewest && going.length === files.length - 1 ? NEWEST : whyKept(file, limits, { nowMs, newerBytes, needed })
      if (why !== undefined) {
        newerBytes += file.bytes
        break
      }
      going.push(file)
    }
    const count = wholeRange(
      [...going, ...files.slice(going.length).map(({ place: { from } }) => ({ from, to: from }))],
      going.length,
    )
    const gone = going.slice(0, count)
    newerBytes += going.slice(count).reduce((sum, { bytes }) => sum + bytes, 0)
    keptFiles -= count
    if (gone.length > 0) old.push({ range: rangeOf(place, gone), files: files.slice(0, count).filter(isOriginal) })
    const first = files[count]
    if (first === undefined) continue
    const kept = { files: keptFiles, bytes: newerBytes, from: first.place.from }
    return { old, kept: { ...kept, why: count < going.length ? 'files overlap' : (why ?? NEWEST) } }
  }
  return { old, kept: undefined }
}

interface Read extends Candidate {
  readonly records: number | undefined
}

async function* readInOrder(
  store: ObjectStore,
  files: readonly ListedTile[],
  told: ListedChain['told'],
  signal: AbortSignal,
): AsyncGenerator<Read> {
  for (let at = 0; at < files.length; at += AHEAD) {
    const together = files.slice(at, at + AHEAD)
    const read = await Promise.all(
      together.map(async file => told?.get(file.key) ?? (await sayingOf(store, file, signal))),
    )
    for (const [n, { place, bytes, modifiedAtMs }] of together.entries()) {
      const { to = files[at + n + 1]?.place.from, timestampMax, records } = read[n] ?? nothing
      yield { from: place.from, to, bytes, storedAtMs: modifiedAtMs, timestampMax, records }
    }
  }
}

/** What a file says of itself, as far as somebody without a key can know. */
export type Saying = Pick<Read, 'to' | 'timestampMax' | 'records'>
const nothing: Saying = { to: undefined, timestampMax: undefined, records: undefined }

async function sayingOf(store: ObjectStore, file: ListedTile, signal: AbortSignal): Promise<Saying> {
  if (file.place.isEncrypted) {
    const facts = tileFactsFromMap((await store.head(file.key, signal))?.facts ?? {})
    return { ...nothing, to: facts?.coversTo, records: facts?.records }
  }
  const { header } = await surveyFile({ store }, file, signal)
  if (header?.kind !== 'maxbrod') return nothing
  const { coversTo: to, content } = header.tile
  return { to, timestampMax: content.timestampMax, records: content.records }
}

function isOriginal({ place }: ListedTile): boolean {
  return place.generation === undefined
}

/** Up to where they end: what is missing behind them was not given up, and may be in files that were made of others. */
function rangeOf(place: PartitionPlace, files: readonly Read[]): PrunedRange {
  return {
    place,
    from: files[0]?.from ?? 0,
    to: files.reduce((end, { to = 0 }) => Math.max(end, to), 0),
    files: files.length,
    records: files.reduce<number | undefined>(
      (sum, { records }) => (sum === undefined || records === undefined ? undefined : sum + records),
      0,
    ),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
