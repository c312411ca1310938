import { styleText } from 'node:util'
import { visible } from './visible.ts'

const colors = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

/**
 * One event for people, from its JSON line: time, level, message, then facts as `name=value`. Control characters are
 * escaped, so that no name or message can begin a line of its own; only stacks take further lines.
 */
export function logLine(json: string, { isColored }: { readonly isColored: boolean }): string {
  const { level, time, message, ...facts } = JSON.parse(json) as Record<string, unknown>
  const color = Object.entries(colors).find(([name]) => name === level)?.[1] ?? 'gray'
  const paint = (style: 'gray' | typeof color, text: string) =>
    isColored ? styleText(style, text, { validateStream: false }) : text
  const words = [
    paint('gray', String(time)),
    paint(color, String(level).toUpperCase().padEnd(5)),
    visible(oneLine(String(message))),
  ]
  const stacks: string[] = []
  for (const [name, value] of Object.entries(facts))
    words.push(`${paint('gray', `${name}=`)}${visible(fact(value, stacks))}`)
  return `${words.join(' ')}\n${stacks.map(stack => `${visible(stack).replaceAll(/^/gm, '    ')}\n`).join('')}`
}

function fact(value: unknown, stacks: string[]): string {
  if (typeof value === 'string') return /^[^\s"'=\p{C}]+$/u.test(value) ? value : JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const { code, message, hint, stack } = value as Record<string, unknown>
  if (typeof message !== 'string') return oneLine(JSON.stringify(value))
  // An error, as describeError tells it.
  if (typeof stack === 'string') stacks.push(stack)
  const words = [typeof code === 'string' ? `${code}: ` : '', message, typeof hint === 'string' ? ` · ${hint}` : '']
  return JSON.stringify(words.join(''))
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{C}/gu, character => JSON.stringify(character).slice(1, -1))
}
