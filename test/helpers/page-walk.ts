import assert from 'node:assert/strict'
import type { PageLine } from './page-blocks.ts'
import { blocksOf, commandsOf } from './page-blocks.ts'
import { Shell } from './shell.ts'

export interface PageWalk {
  /** Where the reader stands. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** The names of examples, and what they are here. Each must occur. */
  readonly instead: Readonly<Record<string, string>>
  /** Commands that another test runs. Each must occur. */
  readonly elsewhere?: readonly string[]
  /** What happens to the world when the reader comes to a heading. Each must be reached. */
  readonly events?: Readonly<Record<string, () => Promise<void>>>
}

/**
 * Does what a page tells its reader to do: every command of every block that is not for a cluster, in order and in one shell. Each must
 * end with 0, or as its comment `# exit 4` says, and what it prints must have each line of the next `text` block.
 */
export async function walkPage(
  page: string,
  { folder, env, instead, elsewhere = [], events = {} }: PageWalk,
): Promise<void> {
  const unused = new Set([...Object.keys(instead), ...elsewhere, ...Object.keys(events)])
  await using shell = new Shell(folder, env)
  let printed = ''
  for (const block of blocksOf(page)) {
    for (const heading of block.headings) {
      unused.delete(heading)
      await events[heading]?.()
    }
    if (block.info === 'text') {
      for (const line of block.lines) assertPrinted(line, replaced(line.text, instead).command, printed)
      continue
    }
    if (block.info !== 'sh') continue
    printed = ''
    for (const { text, where } of commandsOf(block)) {
      if (elsewhere.includes(text)) {
        unused.delete(text)
        continue
      }
      const { command, used } = replaced(text, instead)
      for (const name of used) unused.delete(name)
      const { exit, output } = await shell.run(command)
      assert.equal(exit, exitOf(text), `${where}: ${command}\n${output}`)
      printed += output
    }
  }
  assert.deepEqual([...unused], [], `${page} has no such names or headings`)
}

function replaced(text: string, instead: PageWalk['instead']): { command: string; used: string[] } {
  const used = Object.keys(instead).filter(name => text.includes(name))
  return { command: used.reduce((all, name) => all.replaceAll(name, instead[name]!), text), used }
}

function exitOf(command: string): number {
  return Number(/# exit (\d+)$/.exec(command)?.[1] ?? 0)
}

function assertPrinted({ where }: PageLine, text: string, printed: string): void {
  if (text.trim() === '') return
  assert.match(printed, patternOf(text), `${where}: not printed: ${text}\n${printed}`)
}

/** `…` may be anything, an age any age, a time any time, and columns may be of other widths. */
export function patternOf(line: string): RegExp {
  const parts = line
    .trimEnd()
    .split(/(… ago|…| +|\d{4}-\d\d-\d\dT[\d:.]+Z)/)
    .map((part, index) => {
      if (index % 2 === 0) return RegExp.escape(part)
      if (part === '…') return '.*'
      if (part === '… ago') return '(?:just now|[\\d.]+ [a-z]+ ago)'
      return part.startsWith(' ') ? ' +' : String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`
    })
  return new RegExp(`^${parts.join('')} *$`, 'm')
}
