import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../runner/files.ts'

/** A fenced block of a page. */
export interface PageBlock {
  readonly page: string
  /** What stands behind the fence: `sh`, `sh cluster`, `text` … */
  readonly info: string
  /** The headings between the block before it and this one. */
  readonly headings: readonly string[]
  readonly lines: readonly PageLine[]
}

export interface PageLine {
  readonly text: string
  /** `docs/page.md:17` */
  readonly where: string
}

/** Every page that is made for readers. */
export const pages: readonly string[] = ['*.md', 'docs/*.md', 'changelog/*.md', 'deploy/**/*.md', 'test/README.md']
  .flatMap(pattern => globSync(pattern, { cwd: root }))
  .sort()

/** All blocks of a page, in order; one in a list is indented, and its lines are not. */
export function blocksOf(page: string): PageBlock[] {
  const blocks: (PageBlock & { readonly lines: PageLine[] })[] = []
  let headings: string[] = []
  let open: { readonly indent: string; readonly block: (typeof blocks)[number] } | undefined
  for (const [index, line] of readFileSync(join(root, page), 'utf8').split('\n').entries()) {
    const [, indent = '', info] = /^([ \d.-]*)```(.*)$/.exec(line) ?? []
    if (open !== undefined) {
      if (info === '') open = undefined
      else open.block.lines.push({ text: withoutIndent(line, open.indent), where: `${page}:${index + 1}` })
      continue
    }
    if (info !== undefined) {
      open = { indent: indent.replaceAll(/\S/g, ' '), block: { page, info, headings, lines: [] } }
      blocks.push(open.block)
      headings = []
      continue
    }
    headings.push(...(/^#+ (.*)$/.exec(line)?.slice(1) ?? []))
  }
  if (open !== undefined) throw new Error(`${page}: a block has no end`)
  return blocks
}

/** The commands of a block of a shell: what a backslash continues is one. */
export function commandsOf(block: PageBlock): PageLine[] {
  const commands: PageLine[] = []
  let begun: PageLine | undefined
  for (const { text, where } of block.lines) {
    const command = begun === undefined ? { text, where } : { text: `${begun.text}\n${text}`, where: begun.where }
    begun = text.endsWith('\\') ? command : undefined
    if (begun === undefined && !/^\s*(#.*)?$/.test(command.text)) commands.push(command)
  }
  return commands
}

function withoutIndent(line: string, indent: string): string {
  return line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()
}
