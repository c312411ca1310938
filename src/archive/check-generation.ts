import { decodeSeal } from '../format/generation.ts'
import type { Finding } from './findings.ts'
import type { SurveyedFile } from './survey.ts'
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
export function filesOfSealed({ sealed, files }: SurveyedGeneration): readonly SurveyedFile[] {
  return sealed === undefined ? [] : files
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
