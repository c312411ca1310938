import { assert } from '../runtime/assert.ts'
import { flagOf, variableOf } from './names.ts'
import type { Kind, Option, OtherMeaning } from './option.ts'
import type { Origin, Section } from './section.ts'

/** An option of a command under all its names. */
export interface Declared {
  readonly section: Section
  readonly key: string
  readonly option: Option
  /** What it is called first. */
  readonly flag: string
  /** All its flags, without dashes. */
  readonly flags: readonly Name[]
  /** All its environment variables; the first one that is set counts. */
  readonly variables: readonly Name[]
}

export interface Name {
  readonly name: string
  readonly kind: Kind<unknown>
  /** The text is the path of a file that holds the value. */
  readonly isFile: boolean
  /** The name that another program has for it: works, but nobody is led to it. */
  readonly isForeign: boolean
  readonly otherwise?: OtherMeaning | undefined
}

/** Where the value of an option was found, and as what. */
export interface Found {
  readonly origin: Required<Origin>
  readonly name: Name
  readonly texts: readonly string[]
}

/** All options of the sections. Two with the same name are a bug of ours. */
export function declaredOptions(sections: readonly Section[]): Declared[] {
  const all = sections.flatMap(section =>
    Object.entries(section.options).map(([key, option]) => declare(section, key, option)),
  )
  const names = all.flatMap(({ flags, variables }) => [...flags, ...variables].map(({ name }) => name))
  for (const name of names) assert(names.indexOf(name) === names.lastIndexOf(name), `two options are called ${name}`)
  return all
}

/** How a flag is written. */
export function dashed(flag: string): string {
  return flag.length === 1 ? `-${flag}` : `--${flag}`
}

function declare(section: Section, key: string, option: Option): Declared {
  const { kind, aliases, env, foreign } = option
  const plain = flagOf(key)
  const isSecret = kind.name === 'secret'
  const flag = isSecret ? `${plain}-file` : plain
  const flags = [flag, ...aliases].map(name => ({ name, kind, isFile: isSecret, isForeign: false }))
  const variables = [variableOf(plain), ...env].flatMap(name => [
    { name, kind, isFile: false, isForeign: false },
    ...(isSecret ? [{ name: `${name}_FILE`, kind, isFile: true, isForeign: false }] : []),
  ])
  for (const other of foreign) {
    const as = { kind: other.kind ?? kind, isFile: false, isForeign: true, otherwise: other.otherwise }
    if (other.flag !== undefined) flags.push({ name: other.flag, ...as })
    if (other.env !== undefined) variables.push({ name: other.env, ...as })
  }
  return { section, key, option, flag, flags, variables }
}
