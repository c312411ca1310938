import type { KindName, OneSpec, Option, Present } from './option.ts'
import { kindOfOne, one } from './option.ts'
import { parseBytes, parseDuration } from './units.ts'
import { Unreadable } from './unreadable.ts'

interface NumberSpec extends OneSpec<number> {
  /** Both are allowed values, written like the default. */
  readonly min?: string
  readonly max?: string
}

/** `5MiB` → bytes. */
export function bytes<const S extends NumberSpec>(spec: S): Option<Present<S, number>> {
  return number('bytes', 'SIZE', parseBytes, spec)
}

/** `20MiB` or `20MiB/s` → bytes per second. */
export function rate<const S extends NumberSpec>(spec: S): Option<Present<S, number>> {
  return number('rate', 'SIZE/s', given => parseBytes(given.replace(/\/s$/, '')), spec)
}

/** `30s` → ms. */
export function duration<const S extends NumberSpec>(spec: S): Option<Present<S, number>> {
  return number('duration', 'DURATION', parseDuration, spec)
}

/** A whole number, from 0 unless `min` says otherwise. */
export function count<const S extends NumberSpec>(spec: S): Option<Present<S, number>> {
  return number('count', 'N', parseCount, { min: '0', ...spec })
}

/** A TCP port to listen on; 0 switches the server off. */
export function port<const S extends OneSpec<number>>(spec: S): Option<Present<S, number>> {
  return number('port', 'PORT', parsePort, { ...spec, min: '0', max: '65535' })
}

function number<const S extends NumberSpec>(
  name: KindName,
  placeholder: string,
  parse: (text: string) => number,
  spec: S,
): Option<Present<S, number>> {
  const { min, max } = spec
  const lowest = min === undefined ? -Infinity : parse(min)
  const highest = max === undefined ? Infinity : parse(max)
  const kind = kindOfOne({ name, placeholder, min, max }, given => {
    const value = parse(given)
    if (value < lowest) throw new Unreadable(`'${given}' is too small`, `the smallest is ${min}`)
    if (value > highest) throw new Unreadable(`'${given}' is too large`, `the largest is ${max}`)
    return value
  })
  return one(kind, spec)
}

function parsePort(given: string): number {
  if (given.startsWith('tcp://')) {
    const hint = 'Kubernetes sets it for a service of that name: give the pod enableServiceLinks: false'
    throw new Unreadable(`'${given}' is not a port`, hint)
  }
  return parseCount(given)
}

function parseCount(given: string): number {
  const value = /^-?\d+$/.test(given) ? Number(given) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new Unreadable(`'${given}' is not a whole number`)
  return value
}
