import { fillHoles } from '../../catalog/fill-holes.ts'
import { proveTiling } from '../../catalog/tiling.ts'
import { partitionFolder } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { SurveyedFile } from '../survey.ts'
import type { Source } from './source.ts'

/** Why nothing is made of a partition's files. */
export interface LeftOut {
  readonly reason: string
  /** Somebody should look at it. */
  readonly isProblem: boolean
}

/** The files of one partition: originals of each of its histories, and finished generations. */
export interface PartitionFiles {
  readonly place: PartitionPlace
  readonly histories: number
  readonly originals: readonly SurveyedFile[]
  /** Of equal records, in the order of their offsets: they stand in for originals that are gone. */
  readonly standIns: readonly SurveyedFile[]
}

/**
 * The files that have a partition's records, in the order of their offsets, or why nothing can be made of them: those of `base`,
 * which is an older generation or nothing, and what follows them. Of encrypted files nothing is made that is not. Pure.
 */
export function sourcesOf(
  { place, histories, originals, standIns }: PartitionFiles,
  base: readonly Source[] = [],
  isSealing = false,
): readonly Source[] | LeftOut {
  if (histories > 1)
    return { reason: 'an unclean leader election left several histories, which are kept as they are', isProblem: false }
  const end = base.at(-1)?.to ?? 0
  const needed = originals.filter(({ header }) => header?.kind !== 'maxbrod' || header.tile.coversTo > end)
  if (!isSealing && needed.some(file => file.place.isEncrypted))
    return { reason: 'its files are encrypted: give --identity and --encrypt-to', isProblem: false }
  const damaged = needed.find(({ problem }) => problem !== undefined)
  if (damaged !== undefined) return { reason: `${damaged.key}: ${damaged.problem}`, isProblem: true }
  const own = needed.flatMap(sourceOf)
  if (own.length < needed.length)
    return { reason: 'it has files of kafka-data-keep, which do not say what they cover', isProblem: false }
  const filled = fillHoles([...base, ...own], standIns.flatMap(sourceOf)).map(part => ({
    ...part.tile,
    from: part.from,
    to: part.to,
  }))
  const later = [...own, ...filled]
    .filter(({ to }) => to > end)
    .map(source => (source.from >= end ? source : { ...source, from: end }))
    .toSorted((a, b) => a.from - b.from)
  const all = [...base, ...later]
  const { holes, overlaps } = proveTiling(all)
  const [hole] = holes
  if (hole !== undefined)
    return {
      reason: `${partitionFolder(place)} has no file for offsets ${hole.from} to ${hole.to - 1}`,
      isProblem: true,
    }
  const [overlap] = overlaps
  if (overlap !== undefined)
    return { reason: `${overlap.first} and ${overlap.second} cover the same offsets`, isProblem: true }
  return all
}

/** A file as a source, all of it; none for what says nothing of itself. */
export function sourceOf({ key, place, etag, bytes, header }: SurveyedFile): Source[] {
  if (header?.kind !== 'maxbrod') return []
  const { tile } = header
  return [{ key, place, etag, bytes, header: tile, from: tile.coversFrom, to: tile.coversTo }]
}

/**
 * The neighbours that are merged: each list of at least two files below a size, without the last file of the partition, which
 * tells where the chain ends, and without what is merged already. Pure.
 */
export function mergesOf(
  sources: readonly Source[],
  isMerged: (source: Source) => boolean,
  belowBytes: number,
): readonly (readonly Source[])[] {
  const lists: Source[][] = []
  let list: Source[] = []
  for (const source of sources.slice(0, -1)) {
    const isSmall = source.bytes < belowBytes && source.place.generation === undefined && !isMerged(source)
    if (isSmall) list.push(source)
    else {
      lists.push(list)
      list = []
    }
  }
  return [...lists, list].filter(one => one.length > 1)
}
