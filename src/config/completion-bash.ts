import { completedFlags, quoted } from './completed-flags.ts'
import type { CompletedCommand, CompletedFlag } from './completed-flags.ts'

/** For `source <(maxbrod completion bash)`. */
export function completeInBash(commands: readonly CompletedCommand[]): string {
  return `_maxbrod() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words=
  # In --flag=value, bash takes = for a word of its own.
  if [[ $current == '=' ]]; then current=; elif [[ $previous == '=' ]]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words=${quoted(commands.map(({ name }) => name).join(' '))}
  else
    case "\${COMP_WORDS[1]} $previous" in
${commands.flatMap(command => completedFlags(command.options).flatMap(flag => valueCase(command, flag))).join('\n')}
    esac
    case \${COMP_WORDS[1]} in
${commands.map(commandCase).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _maxbrod maxbrod
`
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const all = [...words, ...completedFlags(options).map(flag => flag.dashed)]
  return `      ${name}) words=${quoted(all.join(' '))} ;;`
}

function valueCase({ name }: CompletedCommand, { dashed, value }: CompletedFlag): string[] {
  if (value === 'none') return []
  const reply =
    value === 'file'
      ? 'COMPREPLY=($(compgen -f -- "$current"))'
      : value === 'word'
        ? ':'
        : `COMPREPLY=($(compgen -W ${quoted(value.join(' '))} -- "$current"))`
  return [`      ${quoted(`${name} ${dashed}`)}) ${reply}; return ;;`]
}
