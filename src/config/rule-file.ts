import { nearest } from './nearest.ts'
import { anchoredRegex } from './regex.ts'
import { Unreadable } from './unreadable.ts'

/** A file of rules for single topics, as a program reads it. */
export interface RuleFileSpec<D> {
  /** What a new `[regex]` begins with. */
  readonly begin: () => D
  /** How each setting is read. Throws Unreadable. */
  readonly settings: Readonly<Record<string, (text: string, draft: D) => void>>
  /** What to say of names that are no settings, where more can be said than which there are. */
  readonly unknown?: (name: string) => Unreadable | undefined
}

export interface ParsedRule<D> {
  readonly regex: RegExp
  readonly draft: D
}

/** A line that cannot be understood, and why. */
export class UnreadableLine extends Error {
  override readonly name = 'UnreadableLine'
  readonly line: number
  readonly hint: string | undefined

  constructor(line: number, { message, hint }: Unreadable) {
    super(message)
    this.line = line
    this.hint = hint
  }
}

/**
 * `[regex]` begins the rule of the topics whose whole names match; `name = value` sets something; `#` and `;` begin comments
 * of whole lines. Throws UnreadableLine.
 */
export function parseRuleFile<D>(text: string, spec: RuleFileSpec<D>): ParsedRule<D>[] {
  const rules: (ParsedRule<D> & { readonly said: Set<string> })[] = []
  for (const [at, line] of text.split(/\r\n|\n|\r/u).entries()) {
    const trimmed = line.trim()
    if (/^(?:[#;]|$)/u.test(trimmed)) continue
    try {
      const [, regex] = /^\[(.*)\]$/u.exec(trimmed) ?? []
      if (regex === undefined) readSetting(trimmed, rules.at(-1), spec)
      else rules.push({ regex: readRegex(regex), draft: spec.begin(), said: new Set() })
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      throw new UnreadableLine(at + 1, error)
    }
  }
  return rules
}

function readRegex(regex: string): RegExp {
  if (regex === '') throw new Unreadable('[] names no topics', "all topics are '[.*]'")
  return anchoredRegex(regex)
}

function readSetting<D>(
  line: string,
  rule: (ParsedRule<D> & { readonly said: Set<string> }) | undefined,
  { settings, unknown }: RuleFileSpec<D>,
): void {
  const [, name = '', value = ''] = /^([^\s=]+)\s*=\s*(.*)$/u.exec(line) ?? []
  if (name === '') throw new Unreadable(`'${line}' is neither [regex] nor name = value`)
  if (rule === undefined) {
    const hint = 'begin with [regex]; what holds for all topics is said by the flags of the same names'
    throw new Unreadable(`'${name}' stands before the first [regex]`, hint)
  }
  const read = Object.hasOwn(settings, name) ? settings[name] : undefined
  if (read === undefined) throw unknown?.(name) ?? noSetting(name, Object.keys(settings))
  if (rule.said.has(name)) throw new Unreadable(`'${name}' is said twice for the same topics`)
  if (value === '') throw new Unreadable(`'${name}' has no value`)
  rule.said.add(name)
  read(value, rule.draft)
}

function noSetting(name: string, known: readonly string[]): Unreadable {
  const near = nearest(name, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`
  return new Unreadable(`there is no setting '${name}'`, hint)
}
