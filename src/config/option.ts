import type { Unreadable } from './unreadable.ts'

/** One option of a command: declared once, beside the code that uses it. Made by the functions of kinds.ts. */
export interface Option<T = unknown> {
  readonly kind: Kind<T>
  /** The first sentence stands in the help, all of it in docs/config.md. */
  readonly doc: string
  /** As the user would write it; empty for no default. */
  readonly default: readonly string[]
  readonly isRequired: boolean
  /** Shown by --help-all and in docs/config.md, not by --help. */
  readonly isAdvanced: boolean
  /** May stand behind the command without its flag: `maxbrod inspect FILE`. One per command. */
  readonly isOperand: boolean
  /** Further flags with the same meaning; one letter is written with one dash. */
  readonly aliases: readonly string[]
  /** Further environment variables, asked after the one that follows from the flag. */
  readonly env: readonly string[]
  readonly foreign: readonly ForeignName<T>[]
  readonly composed: Composed | undefined
}

/**
 * A value that is put together from other options of the same section when the option itself is not given: S3_BUCKET and
 * S3_PREFIX say in two what --storage says in one.
 */
export interface Composed {
  /** Their keys. Without the first of them nothing is composed. */
  readonly of: readonly [string, ...string[]]
  /** What somebody would write for the option itself, from the section's values by key. Throws Unreadable. */
  readonly write: (values: Readonly<Record<string, unknown>>) => readonly string[]
}

/** A name that users of another program know, whose text is mostly written in that program's way. Works, and is in no help. */
export interface ForeignName<T> {
  readonly flag?: string
  readonly env?: string
  /** Without it, the text is written as ours. */
  readonly kind?: Kind<T>
  readonly otherwise?: OtherMeaning
}

/** What the name means in the other program when other options are given, and is not what it stands for here. */
export interface OtherMeaning {
  /** Their keys, in the same section: each makes it so, given as a flag. A variable may be meant for others. */
  readonly beside: readonly string[]
  /** What is wrong, and what to write instead; the flags as they were given. */
  readonly refuse: (own: string, given: string, beside: string) => Unreadable
}

/** How text becomes a value. Plain data as far as possible: docs, shell completion and schemas read it, too. */
export interface Kind<T> {
  readonly name: KindName
  /** What stands behind the flag in the help. */
  readonly placeholder: string
  readonly takes: 'nothing' | 'one' | 'many'
  readonly choices?: readonly string[]
  /** Bounds, as the user would write them. */
  readonly min?: string | undefined
  readonly max?: string | undefined
  /** The value of all the texts given: exactly one unless it takes many. Throws Unreadable. */
  read(texts: readonly string[]): T
  /** The texts that one environment variable holds; for kinds that take many. */
  split?(text: string): string[]
  /** What is probably not meant so, although it can be read. */
  doubt?(texts: readonly string[]): string | undefined
}

export type KindName =
  | 'text'
  | 'path'
  | 'secret'
  | 'flag'
  | 'choice'
  | 'count'
  | 'port'
  | 'bytes'
  | 'rate'
  | 'duration'
  | 'time'
  | 'list'
  | 'regex list'
  | 'pairs'

/** What every option may say about itself. */
export interface Spec<T> {
  readonly doc: string
  readonly isAdvanced?: boolean
  readonly isOperand?: true
  readonly aliases?: readonly string[]
  readonly env?: readonly string[]
  readonly foreign?: readonly ForeignName<T>[]
  readonly composed?: Composed
}

/** Of an option with one value: without a default it is undefined when nobody sets it, unless that is refused. */
export interface OneSpec<T> extends Spec<T> {
  readonly default?: string
  readonly isRequired?: true
}

export type Present<S, T> = S extends { readonly default: string } | { readonly isRequired: true } ? T : T | undefined

export interface ManySpec<T> extends Spec<T> {
  readonly default?: readonly string[]
}

/** An option of a kind that takes one text. */
export function one<T, S extends OneSpec<T>>(kind: Kind<T>, spec: S): Option<Present<S, T>> {
  return declare(kind, spec, spec.default === undefined ? [] : [spec.default])
}

/** An option of a kind that takes many texts; empty when nobody sets it. */
export function many<T>(kind: Kind<T>, spec: ManySpec<T>): Option<T> {
  return declare(kind, spec, spec.default ?? [])
}

function declare<T>(kind: Kind<T>, spec: Spec<T> & { isRequired?: true }, preset: readonly string[]): Option<T> {
  // A default that cannot be read is a bug of ours, found when the program starts.
  if (preset.length > 0) kind.read(preset)
  return {
    kind,
    doc: spec.doc,
    default: preset,
    isRequired: spec.isRequired ?? false,
    isAdvanced: spec.isAdvanced ?? false,
    isOperand: spec.isOperand ?? false,
    aliases: spec.aliases ?? [],
    env: spec.env ?? [],
    foreign: spec.foreign ?? [],
    composed: spec.composed,
  }
}

/** A kind that takes one text: how to read that one is all there is to say. */
export function kindOfOne<T>(kind: Omit<Kind<T>, 'takes' | 'read'>, read: (text: string) => T): Kind<T> {
  return { ...kind, takes: 'one', read: ([text = '']) => read(text) }
}
