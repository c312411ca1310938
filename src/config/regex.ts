import { messageOf } from '../runtime/errors.ts'
import { Unreadable } from './unreadable.ts'

/**
 * A regular expression that matches whole names only: `orders` does not match `reorders`. With the u flag, so that what
 * other dialects have and JavaScript has not (`\Q…\E`, `\z`) is an error instead of something else; and with the s flag, because
 * Kafka takes any text as the name of a group, and `.*` must leave out none of them.
 */
export function anchoredRegex(text: string): RegExp {
  return compile(text, `^(?:${text})$`)
}

/** A regular expression that may match a part of the name, as kafka-data-keep takes them. */
export function looseRegex(text: string): RegExp {
  return compile(text, text)
}

/** What the user wrote. */
export function regexText({ source }: RegExp): string {
  return /^\^\(\?:(.*)\)\$$/.exec(source)?.[1] ?? source
}

/** Why a valid expression probably says something else than was meant; undefined when nothing speaks for that. */
export function regexDoubt(text: string): string | undefined {
  const [, before = '', repeated] = /^(.*?(?<!\\))([\w-])\*/.exec(text) ?? []
  if (repeated !== undefined) {
    const meaning = `${before === '' ? '' : `'${before}' and then `}any number of '${repeated}'`
    const anything = text.replaceAll(/(?<=[\w-])\*/g, '.*')
    return `'${text}' means ${meaning}; if * stands for any text, write '${anything}'`
  }
  if (/,(?![^{[]*[}\]])/.test(text)) return `'${text}' asks for a comma in the name; give several as several`
  return undefined
}

function compile(text: string, source: string): RegExp {
  if (text === '*') throw new Unreadable("'*' is not a regular expression", "everything is '.*'")
  try {
    // Alone first: `a)|(b` is none, but would become one between the parentheses of the anchors.
    const alone = new RegExp(text, 'su')
    return source === text ? alone : new RegExp(source, 'su')
  } catch (error) {
    const hint = /^[*?]/.test(text) ? 'this looks like a glob: any text is .*' : 'the dialect is that of JavaScript'
    throw new Unreadable(`'${text}' is not a regular expression (${reason(error)})`, hint)
  }
}

/** V8 repeats the whole expression in front of the reason. */
function reason(error: unknown): string {
  return messageOf(error)
    .replace(/^Invalid regular expression: .*: /s, '')
    .toLowerCase()
}
