import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { Given } from './command-line.ts'
import { readCommandLine } from './command-line.ts'
import type { Declared } from './declared.ts'
import { dashed, declaredOptions } from './declared.ts'
import { composedOrigin, composedValue } from './composed.ts'
import { Secret } from './secret.ts'
import type { Origin, Section, SectionOrigins, SectionValues } from './section.ts'
import { Unreadable } from './unreadable.ts'

/** What a program is told from outside. */
export interface Input {
  /** The flags, without program and command. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads the file of a secret. */
  readonly readFile: (path: string) => string
}

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
  const options = declaredOptions(sections)
  const given = readCommandLine(options, input.argv)
  const warnings: string[] = []
  const secrets: string[] = []
  const values: Record<string, unknown> = {}
  const origins: Record<string, unknown> = {}
  for (const section of sections) {
    const own = options.filter(option => option.section === section)
    const founds = new Map(
      own.map(option => [option.key, fromFlags(option, given) ?? fromVariables(option, input.env, warnings)]),
    )
    const isWhole = ({ option: { composed } }: Declared) => composed === undefined
    const parts = Object.fromEntries(
      own.filter(isWhole).map(option => [option.key, valueOf(option, founds.get(option.key), input, warnings)]),
    )
    const results = own.map(option => {
      const { key } = option
      if (isWhole(option)) return { key, found: founds.get(key), value: parts[key] }
      const origin = composedOrigin(option, founds, warnings)
      if (origin !== undefined) return { key, found: { origin }, value: composedValue(option, origin, parts) }
      return { key, found: founds.get(key), value: valueOf(option, founds.get(key), input, warnings) }
    })
    for (const { value } of results) if (value instanceof Secret) secrets.push(value.reveal())
    values[section.name] = Object.freeze(Object.fromEntries(results.map(({ key, value }) => [key, value])))
    origins[section.name] = Object.freeze(
      Object.fromEntries(results.map(({ key, found }) => [key, found?.origin ?? { from: 'default' }])),
    )
  }
  return {
    values: Object.freeze(values) as SectionValues<S>,
    origins: Object.freeze(origins) as SectionOrigins<S>,
    warnings,
    secrets,
  }
}

interface Found {
  readonly origin: Required<Origin>
  readonly name: Given['name']
  readonly texts: readonly string[]
}

function fromFlags(option: Declared, given: readonly Given[]): Found | undefined {
  const [first, second] = given.filter(({ declared }) => declared === option)
  if (first === undefined) return undefined
  const name = dashed(first.name.name)
  if (second !== undefined && second.name === first.name)
    throw new MaxbrodError('USAGE', `${name} is given more than once`, { flag: first.name.name })
  if (second !== undefined) {
    throw new MaxbrodError('USAGE', `${name} and ${dashed(second.name.name)} mean the same; give one of them`)
  }
  if (first.texts.length > 1 && first.name.kind.takes !== 'many') {
    throw new MaxbrodError('USAGE', `${name} is given more than once`, { flag: first.name.name })
  }
  return { origin: { from: 'flag', name }, name: first.name, texts: first.texts }
}

function fromVariables(option: Declared, env: Input['env'], warnings: string[]): Found | undefined {
  const [first, ...others] = option.variables.flatMap(name => {
    const text = env[name.name] ?? ''
    return text.trim() === '' ? [] : [{ name, text }]
  })
  if (first === undefined) return undefined
  const { name, text } = first
  for (const other of others) warnings.push(`${other.name.name} is ignored because ${name.name} is set, too`)
  return { origin: { from: 'variable', name: name.name }, name, texts: name.kind.split?.(text) ?? [text] }
}

function valueOf({ option, flag, variables }: Declared, found: Found | undefined, input: Input, warnings: string[]) {
  if (found === undefined) {
    if (option.isRequired) {
      const hint = `set it, or the environment variable ${variables[0]?.name}`
      throw new MaxbrodError('USAGE', `${dashed(flag)} is missing`, { hint, flag })
    }
    const isUnset = option.default.length === 0 && option.kind.takes === 'one'
    return isUnset ? undefined : option.kind.read(option.default)
  }
  const { origin, name, texts } = found
  try {
    const value = name.kind.read(name.isFile ? texts.map(path => contentOf(path, input)) : texts)
    const doubt = name.kind.doubt?.(texts)
    if (doubt !== undefined) warnings.push(`${origin.name}: ${doubt}`)
    return value
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw new MaxbrodError('USAGE', `${origin.name}: ${error.message}`, { hint: error.hint, option: origin.name })
  }
}

/** Editors end a file with a line end, which belongs to no secret. */
function contentOf(path: string, { readFile }: Input): string {
  let content: string
  try {
    content = readFile(path).replace(/\r?\n$/, '')
  } catch (error) {
    throw new Unreadable(`cannot read the file (${messageOf(error)})`)
  }
  if (content === '') throw new Unreadable(`the file ${path} is empty`)
  return content
}
