import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../runner/files.ts'

/** A folder for a reader who stands in a fresh checkout, and the environment of the shell there. */
export interface Desk extends AsyncDisposable {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** A file in the folder. */
  put(name: string, content: string): string
}

/** `programs` are further ones in PATH: name → what it does, as a script for `sh`. */
export async function openDesk(programs: Readonly<Record<string, string>> = {}): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-desk-'))
  mkdirSync(join(folder, 'bin'))
  symlinkSync(join(root, 'bin/maxbrod'), join(folder, 'bin/maxbrod'))
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE } = process.env
  const cache = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }
  return {
    folder,
    // A busy machine takes longer for `check` than its readers would wait.
    env: { PATH: `${folder}/bin:${PATH}`, HOME, TIMEOUT: '2m', ...cache },
    put(name, content) {
      const file = join(folder, name)
      writeFileSync(file, content)
      return file
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}
