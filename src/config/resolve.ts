import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { Given } from './command-line.ts'
import { readCommandLine } from './command-line.ts'
import { composedOf } from './composed.ts'
import type { Declared, Found } from './declared.ts'
import { dashed } from './declared.ts'
import { Unreadable } from './unreadable.ts'

/** What a program is told from outside. */
export interface Input {
  /** The flags, without program and command. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads the file of a secret. */
  readonly readFile: (path: string) => string
}

export interface Resolved {
  readonly declared: Declared
  /** Undefined for a default. */
  readonly found: Found | undefined
  readonly value: unknown
}

/**
 * The value of each option: a flag counts before an environment variable, that before the default. Throws USAGE. What is
 * probably not meant so is added to the warnings.
 */
export function resolve(options: readonly Declared[], input: Input, warnings: string[]): Resolved[] {
  const given = readCommandLine(options, input.argv)
  const founds = new Map(
    options.map(option => [option, fromFlags(option, given) ?? fromVariables(option, input.env, warnings)]),
  )
  refuseOtherMeanings(founds)
  const values = new Map<Declared, unknown>()
  const take = (option: Declared, found: Found | undefined): Resolved => {
    const value = valueOf(option, found, input, warnings)
    values.set(option, value)
    return { declared: option, found, value }
  }
  const isWhole = ({ option: { composed } }: Declared) => composed === undefined
  const whole = new Map(options.filter(isWhole).map(option => [option, take(option, founds.get(option))]))
  return options.map(option => {
    const done = whole.get(option)
    if (done !== undefined) return done
    const parts = options
      .filter(({ section }) => section === option.section)
      .map(part => [part.key, { origin: founds.get(part)?.origin, value: values.get(part) }] as const)
    const found = founds.get(option)
    return take(option, composedOf(option, found, new Map(parts), warnings) ?? found)
  })
}

/** Throws USAGE for the name of another program beside flags with which it means something else there. */
function refuseOtherMeanings(founds: ReadonlyMap<Declared, Found | undefined>): void {
  for (const [{ section }, found] of founds) {
    const { otherwise } = found?.name ?? {}
    if (found === undefined || otherwise === undefined) continue
    for (const [other, { origin } = { origin: undefined }] of founds) {
      if (other.section !== section || !otherwise.beside.includes(other.key) || origin?.from !== 'flag') continue
      const { message, hint } = otherwise.refuse(found.origin.name, found.texts.join(), origin.name)
      throw new MaxbrodError('USAGE', message, { hint, option: found.origin.name })
    }
  }
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
