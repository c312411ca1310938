import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Declared } from './declared.ts'
import type { Origin } from './section.ts'
import { Unreadable } from './unreadable.ts'

type Founds = ReadonlyMap<string, { readonly origin: Required<Origin> } | undefined>

/**
 * Where a composed value comes from; undefined when its parts are not given, or the option itself counts more: as with all
 * options, a flag counts before a variable. Both as flags are USAGE.
 */
export function composedOrigin(
  { key, option: { composed } }: Declared,
  founds: Founds,
  warnings: string[],
): Required<Origin> | undefined {
  const found = (composed?.of ?? []).map(part => founds.get(part)?.origin)
  const [first] = found
  if (first === undefined) return undefined
  const whole = founds.get(key)?.origin
  if (whole === undefined) return first
  const from = found.some(part => part?.from === 'flag') ? 'flag' : 'variable'
  if (from === 'flag' && whole.from === 'flag')
    throw new MaxbrodError('USAGE', `${whole.name} and ${first.name} mean the same; give one of them`)
  const isComposed = from === 'flag'
  const [taken, left] = isComposed ? [first, whole] : [whole, first]
  warnings.push(`${left.name} is ignored because ${taken.name} is set, too`)
  return isComposed ? first : undefined
}

/** The value of the parts; what they make together and cannot be read is USAGE. */
export function composedValue(
  { option: { composed } }: Declared,
  { name }: Required<Origin>,
  parts: Readonly<Record<string, unknown>>,
): unknown {
  try {
    return must(composed, 'composed').read(parts)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw new MaxbrodError('USAGE', `${name}: ${error.message}`, { hint: error.hint, option: name })
  }
}
