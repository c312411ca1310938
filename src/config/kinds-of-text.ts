import type { Kind, OneSpec, Option, Present, Spec } from './option.ts'
import { kindOfOne, one } from './option.ts'
import { Secret } from './secret.ts'
import { parseTime } from './time.ts'
import { Unreadable } from './unreadable.ts'

interface TextSpec extends OneSpec<string> {
  readonly placeholder?: string
  /** What the whole text must match, and what one calls a text that does. */
  readonly pattern?: { readonly regex: RegExp; readonly called: string }
}

/** Any text that is not empty. */
export function text<const S extends TextSpec>(spec: S): Option<Present<S, string>> {
  const { placeholder = 'TEXT', pattern } = spec
  const kind = kindOfOne({ name: 'text', placeholder }, given => {
    if (pattern?.regex.test(given) === false) throw new Unreadable(`'${given}' is not ${pattern.called}`)
    return given
  })
  return one(kind, spec)
}

/** The name of a topic, as Kafka allows them. */
export function topicName<const S extends OneSpec<string>>(spec: S): Option<Present<S, string>> {
  const called = 'a topic name: up to 249 letters, digits, dots, dashes and underscores'
  return text({ ...spec, placeholder: 'TOPIC', pattern: { regex: /^(?!\.\.?$)[\w.-]{1,249}$/, called } })
}

/** A file or a folder, as the system takes it. */
export function path<const S extends OneSpec<string>>(spec: S): Option<Present<S, string>> {
  return one(
    kindOfOne({ name: 'path', placeholder: 'PATH' }, given => given),
    spec,
  )
}

/** One of a few words; upper and lower case are the same. */
export function choice<const C extends string, const S extends OneSpec<C> & { readonly placeholder?: string }>(
  choices: readonly C[],
  spec: S,
): Option<Present<S, C>> {
  const kind = kindOfOne({ name: 'choice', placeholder: spec.placeholder ?? choices.join('|'), choices }, given => {
    const found = choices.find(each => each.toLowerCase() === given.toLowerCase())
    if (found === undefined) throw new Unreadable(`'${given}' is not one of ${choices.join(', ')}`)
    return found
  })
  return one(kind, spec)
}

/** On or off: `--once`, `--once=false`, `--no-once`; off unless its default says otherwise. */
export function flag(spec: Spec<boolean> & { readonly default?: 'true' | 'false' }): Option<boolean> {
  const kind: Kind<boolean> = {
    ...kindOfOne({ name: 'flag', placeholder: '' }, given => {
      const value = words.get(given.toLowerCase())
      if (value === undefined) throw new Unreadable(`'${given}' is neither true nor false`)
      return value
    }),
    takes: 'nothing',
  }
  return one(kind, { ...spec, default: spec.default ?? 'false' })
}

const words = new Map([
  ...['true', 'yes', 'on', '1'].map(word => [word, true] as const),
  ...['false', 'no', 'off', '0'].map(word => [word, false] as const),
])

/** A moment, as ms since 1970. See parseTime. */
export function time<const S extends OneSpec<number>>(spec: S): Option<Present<S, number>> {
  return one(kindOfOne({ name: 'time', placeholder: 'TIME' }, parseTime), spec)
}

/**
 * A text for nobody's eyes. `saslPassword` is read from SASL_PASSWORD, or from the file that SASL_PASSWORD_FILE or
 * `--sasl-password-file` names; there is no flag for the secret itself, because everybody on a host sees command lines.
 */
export function secret(spec: Spec<Secret>): Option<Secret | undefined> {
  return one(
    kindOfOne({ name: 'secret', placeholder: 'PATH' }, given => new Secret(given)),
    spec,
  )
}
