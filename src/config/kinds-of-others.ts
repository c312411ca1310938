import { commaSeparated } from './kinds-of-list.ts'
import type { Kind } from './option.ts'
import { kindOfOne } from './option.ts'
import { anchoredRegex, looseRegex } from './regex.ts'
import { Unreadable } from './unreadable.ts'

// How other programs write what we write in another way: for ForeignName.

/** Regular expressions of kafka-data-keep: separated by commas, matching any part of a name. */
export const looseRegexes: Kind<readonly RegExp[]> = {
  name: 'regex list',
  placeholder: 'REGEX,…',
  takes: 'many',
  read: texts => texts.flatMap(text => commaSeparated(text)).map(looseRegex),
  split: text => [text],
}

/** Names that are taken as they are, where we take regular expressions; separated by commas, too. */
export const plainNames: Kind<readonly RegExp[]> = {
  name: 'regex list',
  placeholder: 'NAME,…',
  takes: 'many',
  read: texts =>
    texts
      .flatMap(text => text.split(','))
      .map(name => name.trim())
      .filter(name => name !== '')
      .map(name => anchoredRegex(plainName(name))),
  split: text => [text],
}

/** A regular expression that stands for this name. */
export function plainName(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
}

/** A duration as a number of milliseconds. */
export const milliseconds: Kind<number> = kindOfOne({ name: 'duration', placeholder: 'MS' }, given => {
  if (!/^\d{1,15}$/.test(given)) throw new Unreadable(`'${given}' is not a number of milliseconds`)
  return Number(given)
})

/** A level of franz-go's logger, which has one more: what is quieter than errors are errors here, so that none is hidden. */
export const franzLevels: Kind<'debug' | 'info' | 'warn' | 'error'> = kindOfOne(
  { name: 'choice', placeholder: 'LEVEL', choices: ['debug', 'info', 'warn', 'error', 'none'] },
  given => {
    const level = given.toLowerCase()
    if (level === 'none') return 'error'
    if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level
    throw new Unreadable(`'${given}' is not one of debug, info, warn, error, none`)
  },
)

/** A switch that means something else when it is on or off. */
export function switchBetween<const T>(on: T, off: T): Kind<T> {
  return { name: 'flag', placeholder: '', takes: 'nothing', read: ([given]) => (given === 'false' ? off : on) }
}
