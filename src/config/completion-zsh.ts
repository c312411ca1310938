import { completedFlags, quoted } from './completed-flags.ts'
import type { CompletedCommand, CompletedFlag } from './completed-flags.ts'

/** For a file called _maxbrod in a folder of $fpath, or `source <(maxbrod completion zsh)`. */
export function completeInZsh(commands: readonly CompletedCommand[]): string {
  return `#compdef maxbrod
_maxbrod() {
  if ((CURRENT == 2)); then
    local -a commands=(
${commands.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _maxbrod ]]; then _maxbrod "$@"; else compdef _maxbrod maxbrod; fi
`
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const args = [
    ...(words.length === 0 ? [] : [quoted(`1:word:(${words.join(' ')})`)]),
    ...completedFlags(options).map(argument),
  ]
  return `    ${name})\n      _arguments \\\n        ${args.join(' \\\n        ')} ;;`
}

function argument({ dashed, doc, takes, value, placeholder }: CompletedFlag): string {
  const description = doc.replaceAll(/[[\]\\:]/g, String.raw`\$&`)
  const many = takes === 'many' ? '*' : ''
  if (value === 'none') return quoted(`${dashed}[${description}]`)
  const values = value === 'file' ? '_files' : value === 'word' ? ' ' : `(${value.join(' ')})`
  return quoted(`${many}${dashed}=[${description}]:${placeholder.replaceAll(':', String.raw`\:`)}:${values}`)
}
