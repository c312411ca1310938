import { decodeSeal } from '../format/generation.ts'
import { partitionFolder } from '../format/keys.ts'
import type { Finding } from './findings.ts'
import type { SurveyedChain, SurveyedFile } from './survey.ts'
import type { SurveyedGeneration } from './survey-generations.ts'
import type { SystemObject } from './system-objects.ts'

/** What listing, seal and headers of a finished generation show. What nobody finished counts for nothing. Pure. */
export function checkGeneration({ place, sealed, problems }: SurveyedGeneration): Finding[] {
  if (sealed === undefined) return []
  const { topic, partition } = place
  return problems.map(({ key, problem }) => ({
    kind: 'damaged',
    topic,
    partition,
    key,
    from: undefined,
    to: undefined,
    says: `${key}: ${problem}`,
  }))
}

/** The files that a restore may use. */
export function filesOfSealed({ sealed, files }: SurveyedGeneration): { readonly files: readonly SurveyedFile[] } {
  return { files: sealed === undefined ? [] : files }
}

/**
 * True for a generation that none of the given keys opens, while all that it covers is in files that can be read: one from before
 * keys were changed. Pure.
 */
export function isDispensable(
  { place, seal, files, problems }: SurveyedGeneration,
  chains: readonly SurveyedChain[],
): boolean {
  const isLocked = problems.length > 0 && files.every(({ isWithoutKey }) => isWithoutKey === true)
  if (seal === undefined || !isLocked || problems.length > files.length) return false
  const { generation: _, ...originals } = place
  const chain = chains.find(one => partitionFolder(one.place) === partitionFolder(originals))
  let end = Math.max(seal.covers.from, chain?.begin ?? 0)
  for (const { problem, place: at, header } of chain?.files ?? []) {
    if (problem !== undefined || header?.kind !== 'maxbrod' || at.from > end) continue
    end = Math.max(end, header.tile.coversTo)
  }
  return end >= seal.covers.to
}

/** The SHA-256 that each file must have, by key. */
export function sealedHashes(generations: readonly SurveyedGeneration[]): ReadonlyMap<string, string> {
  return new Map(generations.flatMap(({ seal }) => seal?.files.map(file => [file.key, file.sha256] as const) ?? []))
}

/** The seal, as an object that is read whole. */
export function sealsOf({ place, sealed }: SurveyedGeneration): SystemObject[] {
  if (sealed === undefined) return []
  const decode = (content: Buffer) => Promise.resolve(content).then(one => decodeSeal(one, place))
  return [{ ...sealed, topic: place.topic, decode }]
}
