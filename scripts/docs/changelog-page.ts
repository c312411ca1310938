import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A file of changelog/. */
export interface ChangeNote {
  /** Folder: `unreleased`, or a version. */
  readonly version: string
  readonly kind: ChangeKind
  readonly title: string
  readonly text: string
}

const KINDS = { Security: 'Security', Change: 'Changed', Enhancement: 'Added', Bugfix: 'Fixed' } as const
type ChangeKind = keyof typeof KINDS

const NOTE = /^(Security|Change|Enhancement|Bugfix): (\S.*?)\n\s*\n(.*\S)$/s

/** All notes, in the order of their files. Throws for one that is not as changelog/README.md wants it. */
export function changeNotes(root: string): ChangeNote[] {
  return globSync('changelog/*/*.md', { cwd: root })
    .toSorted()
    .map(file => parseNote(basename(dirname(file)), file, readFileSync(join(root, file), 'utf8')))
}

export function parseNote(version: string, file: string, content: string): ChangeNote {
  const [, kind, title = '', text = ''] = NOTE.exec(content.trim()) ?? []
  if (kind === undefined)
    throw new Error(`${file}: a kind and a title, an empty line, a paragraph (changelog/README.md)`)
  return {
    version,
    kind: kind as ChangeKind,
    title: onOneLine(title),
    text: onOneLine(text).replaceAll('](../../', ']('),
  }
}

function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

/** CHANGELOG.md: the newest version first, what is not released before all. */
export function changelogPage(notes: readonly ChangeNote[]): string {
  const versions = [...Map.groupBy(notes, ({ version }) => version)].toSorted(([a], [b]) => compareVersions(b, a))
  const sections = versions.map(([version, of]) => {
    const name = version === 'unreleased' ? 'Unreleased' : version
    return `## ${name}\n${Object.keys(KINDS)
      .map(kind => sectionOf(kind as ChangeKind, of))
      .join('')}`
  })
  return `<!-- Written by scripts/docs.ts from changelog/: change that, then run \`npm run docs\`. -->

# Changes

${sections.join('\n')}`
}

function sectionOf(wanted: ChangeKind, notes: readonly ChangeNote[]): string {
  const entries = notes.filter(({ kind }) => kind === wanted).map(({ title, text }) => `- ${headOf(title)} ${text}\n`)
  return entries.length === 0 ? '' : `\n### ${KINDS[wanted]}\n\n${entries.join('')}`
}

/** How an entry begins. */
export function headOf(title: string): string {
  return `**${title.charAt(0).toUpperCase()}${title.slice(1)}.**`
}

function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  if (a === 'unreleased') return 1
  if (b === 'unreleased') return -1
  return a.localeCompare(b, 'en', { numeric: true })
}
