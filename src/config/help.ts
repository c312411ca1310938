import type { Declared } from './declared.ts'
import { dashed, declaredOptions } from './declared.ts'
import type { Section } from './section.ts'

export interface HelpPage {
  /** With which words it is called: `maxbrod backup`. */
  readonly program: string
  readonly summary: string
  readonly sections: readonly Section[]
  readonly examples: readonly Example[]
}

export interface Example {
  readonly does: string
  /** What follows the program's name. */
  readonly line: string
}

export interface HelpLayout {
  /** Width of the page. */
  readonly columns: number
  /** Advanced options, too. */
  readonly isComplete: boolean
}

/** Below this, the explanation beside a flag would be a column of single words. */
const narrowest = 30

/** The help of one command: what it does, how it is called, its flags in groups, and examples. */
export function helpPage({ program, summary, sections, examples }: HelpPage, layout: HelpLayout): string {
  const all = declaredOptions(sections)
  const shown = all.filter(({ option }) => layout.isComplete || !option.isAdvanced)
  const required = shown
    .filter(({ option }) => option.isRequired && !option.isOperand)
    .map(({ flag, option }) => ` ${use(flag, option)}`)
  const operand = all.find(({ option }) => option.isOperand)
  const bare = operand === undefined ? '' : ` ${bareUse(operand.option)}`
  const left = Math.max(...shown.map(declared => leftOf(declared).length)) + 2
  const lines = [`${program}: ${summary}`, '', `Usage: ${program}${required.join('')} [flags]${bare}`]
  for (const heading of new Set(shown.map(({ section }) => section.heading))) {
    lines.push('', heading)
    for (const declared of shown.filter(({ section }) => section.heading === heading)) {
      const right = wrap(rightOf(declared), Math.max(narrowest, layout.columns - left))
      lines.push(...right.map((text, row) => `${(row === 0 ? leftOf(declared) : '').padEnd(left)}${text}`))
    }
  }
  lines.push('', 'Examples')
  for (const { does, line } of examples) lines.push(`  # ${does}`, `  ${program} ${line}`)
  lines.push('', footer(all.length - shown.length))
  return `${lines.join('\n')}\n`
}

function leftOf({ flag, option }: Declared): string {
  const short = option.aliases.find(alias => alias.length === 1)
  return `  ${short === undefined ? '' : `${dashed(short)}, `}${use(flag, option)}`
}

function bareUse({ kind, isRequired }: Declared['option']): string {
  return isRequired ? kind.placeholder : `[${kind.placeholder}]`
}

function use(flag: string, { kind }: Declared['option']): string {
  return kind.placeholder === '' ? dashed(flag) : `${dashed(flag)} ${kind.placeholder}`
}

/** The first sentence of the doc, and the default. */
function rightOf({ option }: Declared): string {
  const sentence = /^.*?\.(?= [A-Z]|$)/s.exec(option.doc)?.[0] ?? option.doc
  const isPlain = option.default.length === 0 || (option.kind.takes === 'nothing' && option.default[0] === 'false')
  return `${sentence.replace(/\.$/, '')}${isPlain ? '' : ` [${option.default.join(' ')}]`}`
}

function wrap(text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

function footer(hidden: number): string {
  const more = hidden === 0 ? '' : ` --help-all shows ${hidden} more.`
  return `Flags are variables, too: --log-level is LOG_LEVEL.${more} All in docs/config.md`
}
