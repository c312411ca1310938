import { proveTiling } from '../../catalog/tiling.ts'
import { partitionFolder } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { sourceOf } from '../compact/choose-sources.ts'
import type { LeftOut } from '../compact/choose-sources.ts'
import type { Source } from '../compact/source.ts'
import { standInsOf } from '../survey-generations.ts'
import type { SurveyedGeneration } from '../survey-generations.ts'
import type { SurveyedChain } from '../survey.ts'

/**
 * The files that have all of a chain's records, each of them whole, in the order of their offsets: those of generations before the
 * originals that they were made of. Or why nothing can be made of them. Pure.
 */
export function filesToRewrap(
  { place, files, begin = 0 }: SurveyedChain,
  generations: readonly SurveyedGeneration[],
): readonly Source[] | LeftOut {
  const standing = wholeOnes(generations, place)
  const ranges = standing.flatMap(({ seal }) => (seal === undefined ? [] : [seal.covers]))
  const originals = files.filter(({ place: { from } }) => !ranges.some(range => range.from <= from && from < range.to))
  const damaged = originals.find(({ problem }) => problem !== undefined)
  if (damaged !== undefined) return { reason: `${damaged.key}: ${damaged.problem}`, isProblem: true }
  const own = originals.flatMap(sourceOf)
  if (own.length < originals.length)
    return { reason: 'it has files of kafka-data-keep, which do not say what they cover', isProblem: false }
  const made = standing.flatMap(generation => generation.files).flatMap(sourceOf)
  const all = [...own, ...made].filter(({ to }) => to > begin).toSorted((a, b) => a.from - b.from)
  const { holes, overlaps } = proveTiling(all)
  const [[hole], [overlap]] = [holes, overlaps]
  if (hole !== undefined)
    return {
      reason: `${partitionFolder(place)} has no file for offsets ${hole.from} to ${hole.to - 1}`,
      isProblem: true,
    }
  if (overlap !== undefined)
    return { reason: `${overlap.first} and ${overlap.second} cover the same offsets`, isProblem: true }
  return all
}

/** Generations with all records that do not overlap: the newest first, as it has taken the place of others. */
function wholeOnes(generations: readonly SurveyedGeneration[], place: PartitionPlace): SurveyedGeneration[] {
  const keys = new Set(standInsOf(generations, place).map(({ key }) => key))
  const usable = generations.filter(({ files }) => files.some(({ key }) => keys.has(key)))
  const taken: SurveyedGeneration[] = []
  for (const one of usable.toSorted((a, b) => b.atMs - a.atMs)) {
    const isFree = taken.every(({ seal }) => !doOverlap(seal?.covers, one.seal?.covers))
    if (isFree) taken.push(one)
  }
  return taken
}

interface Span {
  readonly from: number
  readonly to: number
}

function doOverlap(a: Span | undefined, b: Span | undefined): boolean {
  return a !== undefined && b !== undefined && a.from < b.to && b.from < a.to
}

/** So much is lost at most when somebody kills the run. */
const BATCH_BYTES = 1024 * 1024 * 1024
const BATCH_FILES = 1000

/** Neighbours that become a generation together: what is done already parts them. Pure. */
export function batchesOf(files: readonly Source[], isDone: (file: Source) => boolean): readonly (readonly Source[])[] {
  const batches: Source[][] = []
  let batch: Source[] = []
  let bytes = 0
  const close = () => {
    if (batch.length > 0) batches.push(batch)
    batch = []
    bytes = 0
  }
  for (const file of files) {
    // What a generation was made of may lie in several of its files.
    const { generation } = file.place
    const mayPart = generation === undefined || generation !== batch.at(-1)?.place.generation
    const isFull = batch.length >= BATCH_FILES || bytes + file.bytes > BATCH_BYTES
    if (isDone(file) || (isFull && mayPart)) close()
    if (isDone(file)) continue
    batch.push(file)
    bytes += file.bytes
  }
  close()
  return batches
}
