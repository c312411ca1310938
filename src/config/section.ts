import type { Option } from './option.ts'

/**
 * The options of one room or floor, declared beside the code that uses them: from each key follow the flag, the
 * environment variable, the row of docs/config.md and the property that the code reads.
 *
 *     export const backupOptions = section('backup', {
 *       minFileSize: bytes({ default: '5MiB', doc: 'Upload the file of a partition once it holds this much.' }),
 *     })
 *     export type BackupOptions = Values<typeof backupOptions> // { readonly minFileSize: number }
 */
export function section<const N extends string, const O extends Options>(
  name: N,
  options: O,
  { heading = `${name.charAt(0).toUpperCase()}${name.slice(1)}` }: { readonly heading?: string } = {},
): Section<N, O> {
  return { name, heading, options }
}

export interface Section<N extends string = string, O extends Options = Options> {
  readonly name: N
  /** Sections with the same heading stand together in the help. */
  readonly heading: string
  readonly options: O
}

export type Options = Readonly<Record<string, Option>>

/** What a room or floor gets of its section. */
export type Values<S extends Section> = {
  readonly [K in keyof S['options']]: S['options'][K] extends Option<infer T> ? T : never
}

/** What a command gets: the values of each of its sections, by the section's name. */
export type SectionValues<S extends readonly Section[]> = {
  readonly [E in S[number] as E['name']]: Values<E>
}

/** Where each value comes from, in the same shape. */
export type SectionOrigins<S extends readonly Section[]> = {
  readonly [E in S[number] as E['name']]: { readonly [K in keyof E['options']]: Origin }
}

export interface Origin {
  readonly from: 'flag' | 'variable' | 'default'
  /** What was read: `--min-file-size`, `MIN_FILE_SIZE`; undefined for a default. */
  readonly name?: string
}
