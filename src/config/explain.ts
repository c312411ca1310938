import { dashed, declaredOptions } from './declared.ts'
import type { Input } from './resolve.ts'
import { resolve } from './resolve.ts'
import { Secret } from './secret.ts'
import type { Origin, Section } from './section.ts'

/** What one option is set to, by whom. */
export interface Explained extends Origin {
  readonly flag: string
  readonly variable: string | undefined
  /** As somebody would write it; secrets are masked. Empty when nobody says anything, the code neither. */
  readonly texts: readonly string[]
}

export interface Explanation {
  readonly options: readonly Explained[]
  readonly warnings: readonly string[]
}

/** The options of the sections as a command would get them, with where each comes from. Throws USAGE, as the command would. */
export function explain(sections: readonly Section[], input: Input): Explanation {
  const warnings: string[] = []
  const options = resolve(declaredOptions(sections), input, warnings).map(({ declared, found, value }) => {
    const { flag, variables, option } = declared
    const texts = value instanceof Secret ? [String(value)] : (found?.texts ?? option.default)
    return {
      flag: dashed(flag),
      variable: variables[0]?.name,
      texts,
      ...(found?.origin ?? { from: 'default' as const }),
    }
  })
  return { options, warnings }
}
