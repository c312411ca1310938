import type { Declared } from './declared.ts'
import { dashed } from './declared.ts'

/** What a shell has to know of a command. */
export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly options: readonly Declared[]
  /** Words that may follow it. */
  readonly words: readonly string[]
}

/** A flag as shells complete it. */
export interface CompletedFlag {
  /** Without dashes; `dashed` has them. */
  readonly name: string
  readonly dashed: string
  readonly doc: string
  readonly takes: 'nothing' | 'one' | 'many'
  readonly value: 'none' | 'file' | 'word' | readonly string[]
  readonly placeholder: string
}

/** Our own flags of a command; names of other programs are for those who know them. */
export function completedFlags(options: readonly Declared[]): CompletedFlag[] {
  return options.flatMap(({ flags, option: { doc } }) =>
    flags
      .filter(({ isForeign }) => !isForeign)
      .map(({ name, kind, isFile }) => ({
        name,
        dashed: dashed(name),
        doc: (/^.*?[.:;](?= |$)/s.exec(doc)?.[0] ?? doc).replace(/[.:;]$/, ''),
        takes: kind.takes,
        value: kind.takes === 'nothing' ? 'none' : (kind.choices ?? (isFile || kind.name === 'path' ? 'file' : 'word')),
        placeholder: kind.placeholder,
      })),
  )
}

/** A word for any of the shells: nothing in it is expanded. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
