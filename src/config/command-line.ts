import yargs from 'yargs'
import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { ErrorDetails } from '../runtime/errors.ts'
import type { Declared, Name } from './declared.ts'
import { dashed } from './declared.ts'
import { nearest } from './nearest.ts'

/** The texts that a command line gives to one flag. */
export interface Given {
  readonly declared: Declared
  readonly name: Name
  readonly texts: readonly string[]
}

/** A flag that the command does not have. Who knows of other commands and other programs may have a better hint. */
export class UnknownFlag extends MaxbrodError {
  /** Without dashes. */
  readonly flag: string

  constructor(message: string, flag: string, details: ErrorDetails) {
    super('USAGE', message, { ...details, flag })
    this.flag = flag
  }
}

/**
 * Takes a command line apart, the command itself already removed. Flags may be written with one dash or two, as Go
 * programs take them; `=` or a blank stands before the value. A word without a flag belongs to the operand, if the command
 * has one. Everything unknown is refused.
 */
export function readCommandLine(options: readonly Declared[], argv: readonly string[]): Given[] {
  const known = new Map(
    options.flatMap(declared => declared.flags.map(name => [name.name, { declared, name }] as const)),
  )
  for (const word of argv) refuseUnknown(word, known)

  const parser = yargs()
    .locale('en')
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw new MaxbrodError('USAGE', message ?? messageOf(error))
    })
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
      'greedy-arrays': false,
    })
    .boolean([...known.values()].filter(({ name }) => isSwitch(name)).map(({ name }) => name.name))
    .string([...known.values()].filter(({ name }) => !isSwitch(name)).map(({ name }) => name.name))
  const { _: rest, $0: _program, ...given } = parser.parseSync([...argv])

  return [
    ...operandOf(options, rest.map(String)),
    ...Object.entries(given).flatMap(([flag, value]) => {
      const { declared, name } = known.get(flag) ?? {}
      if (declared === undefined || name === undefined) throw unknownFlag(dashed(flag), flag, known)
      const texts = (Array.isArray(value) ? value : [value]).map(String)
      if (texts.includes('')) throw new MaxbrodError('USAGE', `${dashed(flag)} needs a value`, { flag })
      return [{ declared, name, texts }]
    }),
  ]
}

function operandOf(options: readonly Declared[], words: readonly string[]): Given[] {
  const declared = options.find(({ option }) => option.isOperand)
  const name = declared?.flags[0]
  const surplus = name === undefined ? words[0] : words[1]
  if (surplus !== undefined) {
    const hint = 'flags begin with --; quote what the shell might expand'
    throw new MaxbrodError('USAGE', `unexpected argument '${surplus}'`, { hint })
  }
  return declared === undefined || name === undefined || words.length === 0 ? [] : [{ declared, name, texts: words }]
}

type Known = ReadonlyMap<string, { readonly declared: Declared; readonly name: Name }>

/** Before yargs sees it, because yargs takes `--once=maybe` for false, and stumbles over `--constructor`. */
function refuseUnknown(word: string, known: Known): void {
  const [, dashes, name, value] = /^(--?)([^\d\s=-][^\s=]*)(?:=(.*))?$/s.exec(word) ?? []
  if (name === undefined) return
  const option = known.get(name)
  if (option === undefined) {
    const negated = known.get(name.replace(/^no-/, ''))
    if (negated !== undefined && isSwitch(negated.name) && value === undefined) return
    throw unknownFlag(`${dashes}${name}`, name, known)
  }
  if (isSwitch(option.name) && value !== undefined && !/^(true|false)$/.test(value)) {
    throw new MaxbrodError('USAGE', `${dashes}${name}: '${value}' is neither true nor false`, { flag: name })
  }
}

function unknownFlag(written: string, name: string, known: Known): MaxbrodError {
  const [, flag = '', value = ''] = /^-*(\S+)\s+(.*)$/s.exec(name) ?? []
  if (known.has(flag)) {
    const hint = `write ${dashed(flag)}=${value}, or two words: in a manifest, two items of the list`
    return new MaxbrodError('USAGE', `'${written}' is one word, of flag and value`, { hint, flag })
  }
  const secret = known.get(`${name}-file`)?.declared
  if (secret?.option.kind.name === 'secret') {
    return new MaxbrodError('USAGE', `${written} does not exist: everybody on this host could read it`, {
      hint: `set ${secret.variables[0]?.name} or ${dashed(secret.flag)}`,
      flag: name,
    })
  }
  const own = [...known.values()].filter(each => !each.name.isForeign)
  const meant = nearest(
    name,
    own.map(each => each.name.name),
  )
  const hint = meant === undefined ? 'see --help' : `did you mean ${dashed(meant)}?`
  return new UnknownFlag(`unknown flag ${written}`, name, { hint })
}

function isSwitch({ kind }: Name): boolean {
  return kind.takes === 'nothing'
}
