import { completedFlags, quoted } from './completed-flags.ts'
import type { CompletedCommand, CompletedFlag } from './completed-flags.ts'

/** For a file called maxbrod.fish in ~/.config/fish/completions. */
export function completeInFish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, options, words }) => {
    const after = quoted(`__fish_seen_subcommand_from ${name}`)
    return [
      `complete -c maxbrod -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`,
      ...(words.length === 0 ? [] : [`complete -c maxbrod -n ${after} -a ${quoted(words.join(' '))}`]),
      ...completedFlags(options).map(flag => `complete -c maxbrod -n ${after} ${flagWords(flag)}`),
    ]
  })
  return ['complete -c maxbrod -f', ...lines, ''].join('\n')
}

function flagWords({ name, doc, value }: CompletedFlag): string {
  const flag = `${name.length === 1 ? '-s' : '-l'} ${name} -d ${fishQuoted(doc)}`
  if (value === 'none') return flag
  if (value === 'file') return `${flag} -r -F`
  return value === 'word' ? `${flag} -x` : `${flag} -x -a ${quoted(value.join(' '))}`
}

/** In fish, a backslash stands before a quote. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
}
