import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../runner/files.ts'

/** A file of src/ and what it imports. */
export interface SourceFile {
  /** Relative to the checkout: `src/backup/worker.ts`. */
  readonly path: string
  readonly text: string
  /** Everything imported: `import`, `import type`, `export … from` and `import()`. Files as paths, packages as written. */
  readonly imports: readonly string[]
}

export function sourceFiles(): SourceFile[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => sourceFile(`src/${name}`, readFileSync(join(root, 'src', name), 'utf8')))
}

export function sourceFile(path: string, text: string): SourceFile {
  // The formatter puts every import at the beginning of a line, with single quotes.
  const named = [...text.matchAll(/^(?:import|export)\s[^'"]*?\bfrom '([^']+)'/gm)]
  const bare = [...text.matchAll(/^import '([^']+)'/gm)]
  const dynamic = [...text.matchAll(/\bimport\('([^']+)'\)/g)]
  const imports = [...named, ...bare, ...dynamic].map(([, specifier = '']) => resolve(path, specifier))
  return { path, text, imports }
}

/** The code alone: without comments, so that they may talk about anything. */
export function codeOf({ text }: SourceFile): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, '').replaceAll(/(?<=^|\s)\/\/.*$/gm, '')
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? join(from, '..', specifier) : specifier
}
