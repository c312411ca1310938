import { declaredOptions } from './declared.ts'
import type { Input } from './resolve.ts'
import { resolve } from './resolve.ts'
import { Secret } from './secret.ts'
import type { Section, SectionOrigins, SectionValues } from './section.ts'

export interface Parsed<S extends readonly Section[]> {
  readonly values: SectionValues<S>
  readonly origins: SectionOrigins<S>
  /** What is probably not meant so: for the log. */
  readonly warnings: readonly string[]
  /** Texts that must not appear anywhere. */
  readonly secrets: readonly string[]
}

/**
 * The values of a command's sections: a flag counts before an environment variable, that before the default; an empty
 * variable counts as not set. What cannot be read, is missing or unknown is MaxbrodError USAGE and names the flag or the
 * variable. Touches nothing but its arguments.
 */
export function parse<const S extends readonly Section[]>(sections: S, input: Input): Parsed<S> {
  const warnings: string[] = []
  const all = resolve(declaredOptions(sections), input, warnings)
  const values: Record<string, unknown> = {}
  const origins: Record<string, unknown> = {}
  for (const section of sections) {
    const own = all.filter(({ declared }) => declared.section === section)
    values[section.name] = Object.freeze(Object.fromEntries(own.map(({ declared, value }) => [declared.key, value])))
    origins[section.name] = Object.freeze(
      Object.fromEntries(own.map(({ declared, found }) => [declared.key, found?.origin ?? { from: 'default' }])),
    )
  }
  return {
    values: Object.freeze(values) as SectionValues<S>,
    origins: Object.freeze(origins) as SectionOrigins<S>,
    warnings,
    secrets: all.flatMap(({ value }) => (value instanceof Secret ? [value.reveal()] : [])),
  }
}
