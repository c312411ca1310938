import { Unreadable } from '../../config/unreadable.ts'

/** What S3 takes for one object. */
const TAGS_MAX = 10
const NAME_CHARS_MAX = 128
const VALUE_CHARS_MAX = 256

/** `tier=cold, team=shop` → the tags. */
export function readTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>()
  for (const pair of text.split(',')) {
    const [, name = '', value = ''] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/u.exec(pair) ?? []
    if (name === '') throw new Unreadable(`'${pair.trim()}' is no tag`, 'write tags like tier=cold, team=shop')
    for (const [what, part, max] of [
      ['name', name, NAME_CHARS_MAX],
      ['value', value, VALUE_CHARS_MAX],
    ] as const) {
      if (part.length > max) throw new Unreadable(`the ${what} of tag '${name}' is longer than ${max} characters`)
      if (!/^[\p{L}\p{N} +\-=._:/@]*$/u.test(part))
        throw new Unreadable(
          `the ${what} of tag '${name}' holds what S3 does not take`,
          'letters, digits, spaces and + - = . _ : / @ are taken',
        )
    }
    if (tags.has(name)) throw new Unreadable(`the tag '${name}' is said twice`)
    tags.set(name, value)
  }
  if (tags.size > TAGS_MAX) throw new Unreadable(`${tags.size} tags are more than S3 takes`, `${TAGS_MAX} are allowed`)
  return tags
}
