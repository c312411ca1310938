import type { Kind, ManySpec, Option } from './option.ts'
import { many } from './option.ts'
import { anchoredRegex, regexDoubt } from './regex.ts'
import { Unreadable } from './unreadable.ts'

interface ListSpec extends ManySpec<readonly string[]> {
  readonly placeholder?: string
  /** Throws Unreadable for a text that cannot be meant. */
  readonly check?: (text: string) => void
}

/** Texts: the flag may be repeated, and a comma separates several in one, as in `--bootstrap-server a:9092,b:9092`. */
export function list(spec: ListSpec): Option<readonly string[]> {
  const kind: Kind<readonly string[]> = {
    name: 'list',
    placeholder: spec.placeholder ?? 'TEXT',
    takes: 'many',
    read(texts) {
      const parts = texts.flatMap(text => text.split(',').map(part => part.trim())).filter(part => part !== '')
      for (const part of parts) spec.check?.(part)
      return parts
    },
    split: text => [text],
  }
  return many(kind, spec)
}

/**
 * Regular expressions that match whole names: the flag may be repeated; blanks or line ends separate several in a
 * variable. A comma separates nothing, it belongs to `{1,3}`.
 */
export function regexList(spec: RegexListSpec): Option<readonly RegExp[]> {
  const { check } = spec
  const read = (texts: readonly string[]) => {
    for (const text of texts) check?.(text)
    return regexes.read(texts)
  }
  return many(check === undefined ? regexes : { ...regexes, read }, spec)
}

interface RegexListSpec extends ManySpec<readonly RegExp[]> {
  /** Throws Unreadable for a text that cannot be meant. */
  readonly check?: (text: string) => void
}

const regexes: Kind<readonly RegExp[]> = {
  name: 'regex list',
  placeholder: 'REGEX',
  takes: 'many',
  read: texts => texts.map(anchoredRegex),
  split: words,
  doubt: texts => texts.map(regexDoubt).find(doubt => doubt !== undefined),
}

/** `--rename a=b` → what becomes of what: the flag may be repeated; blanks separate several in a variable. */
export function pairs(
  spec: ManySpec<ReadonlyMap<string, string>> & { readonly placeholder?: string },
): Option<ReadonlyMap<string, string>> {
  const { placeholder = 'FROM=TO' } = spec
  return many({ name: 'pairs', placeholder, takes: 'many', read: texts => readPairs(texts), split: words }, spec)
}

function readPairs(texts: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const text of texts) {
    const [, from, to] = /^([^=]+)=(.+)$/.exec(text) ?? []
    if (from === undefined || to === undefined) throw new Unreadable(`'${text}' is not a pair`, 'write it like from=to')
    const other = found.get(from)
    if (other !== undefined && other !== to)
      throw new Unreadable(`'${from}' is given both as '${other}' and as '${to}'`)
    found.set(from, to)
  }
  return found
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '')
}

/** Splits at commas, except at those of a repetition or a character class such as `{1,3}` and `[,;]`. */
export function commaSeparated(text: string): string[] {
  return text
    .split(/,(?![^{[]*[}\]])/)
    .map(part => part.trim())
    .filter(part => part !== '')
}
