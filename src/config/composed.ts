import { MaxbrodError } from '../runtime/errors.ts'
import type { Declared, Found } from './declared.ts'
import { Unreadable } from './unreadable.ts'

/** The other options of a section, by key. */
type Parts = ReadonlyMap<string, { readonly origin: Found['origin'] | undefined; readonly value: unknown }>

/**
 * What is composed of other options, as if somebody had written it; undefined when its parts are not given, or the option
 * itself counts more: as with all options, a flag counts before a variable. Both as flags are USAGE.
 */
export function composedOf(
  { flag, option: { composed, kind } }: Declared,
  found: Found | undefined,
  parts: Parts,
  warnings: string[],
): Found | undefined {
  const given = (composed?.of ?? []).map(key => parts.get(key)?.origin)
  const [origin] = given
  if (composed === undefined || origin === undefined) return undefined
  if (found !== undefined) {
    const isByFlag = given.some(part => part?.from === 'flag')
    if (isByFlag && found.origin.from === 'flag')
      throw new MaxbrodError('USAGE', `${found.origin.name} and ${origin.name} mean the same; give one of them`)
    const [taken, left] = isByFlag ? [origin, found.origin] : [found.origin, origin]
    warnings.push(`${left.name} is ignored because ${taken.name} is set, too`)
    if (!isByFlag) return undefined
  }
  const values = Object.fromEntries([...parts].map(([key, { value }]) => [key, value]))
  try {
    return { origin, name: { name: flag, kind, isFile: false, isForeign: false }, texts: composed.write(values) }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw new MaxbrodError('USAGE', `${origin.name}: ${error.message}`, { hint: error.hint, option: origin.name })
  }
}
