import type { Gap } from '../format/tile-header.ts'
import type { SurveyedChain, SurveyedFile } from './survey.ts'

/** What is known of a file without reading it whole. Files of kafka-data-keep say nothing of records and times. */
export interface FileFacts {
  readonly key: string
  readonly bytes: number
  /** When it was stored, in ms. */
  readonly storedAtMs: number
  readonly from: number
  /** Undefined for the last file of kafka-data-keep, and for one that cannot be read. */
  readonly to: number | undefined
  readonly records: number | undefined
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
  readonly gaps: readonly Gap[]
  readonly problem: string | undefined
}

/** The files of a chain, one behind the other: a file that does not say where it ends does so where the next one begins. */
export function factsOfChain({ files }: SurveyedChain): FileFacts[] {
  return files.map((file, index) => factsOf(file, files[index + 1]?.place.from))
}

function factsOf(
  { key, place, bytes, modifiedAtMs, header, problem }: SurveyedFile,
  next: number | undefined,
): FileFacts {
  const tile = header?.kind === 'maxbrod' ? header.tile : undefined
  return {
    key,
    bytes,
    storedAtMs: modifiedAtMs,
    from: place.from,
    to: tile?.coversTo ?? (header === undefined ? undefined : next),
    records: tile?.content.records,
    timestampMin: tile?.content.timestampMin,
    timestampMax: tile?.content.timestampMax,
    gaps: tile?.gaps ?? [],
    problem,
  }
}

/** Several files as one. */
export interface Sum {
  readonly files: number
  readonly bytes: number
  /** Undefined when one of the files does not say. */
  readonly records: number | undefined
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
  /** Stored last. */
  readonly newest: { readonly key: string; readonly storedAtMs: number } | undefined
  /** Offsets that Kafka no longer had. */
  readonly gaps: readonly Gap[]
  readonly problems: readonly { readonly key: string; readonly problem: string }[]
}

export function sumOf(files: readonly FileFacts[]): Sum {
  const times = (pick: (file: FileFacts) => bigint | undefined) => files.flatMap(file => pick(file) ?? [])
  return {
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    records: files.reduce<number | undefined>(
      (sum, { records }) => (sum === undefined || records === undefined ? undefined : sum + records),
      0,
    ),
    timestampMin: extreme(
      times(file => file.timestampMin),
      (a, b) => a < b,
    ),
    timestampMax: extreme(
      times(file => file.timestampMax),
      (a, b) => a > b,
    ),
    newest: extreme(files, (a, b) => a.storedAtMs > b.storedAtMs),
    gaps: files.flatMap(({ gaps }) => gaps),
    problems: files.flatMap(({ key, problem }) => (problem === undefined ? [] : [{ key, problem }])),
  }
}

function extreme<T>(values: readonly T[], isBetter: (a: T, b: T) => boolean): T | undefined {
  return values.reduce<T | undefined>(
    (best, one) => (best === undefined || isBetter(one, best) ? one : best),
    undefined,
  )
}
