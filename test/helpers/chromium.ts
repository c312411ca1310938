import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder } from '../servers/jars.ts'

/** A browser's program, and the variables that it needs beside PATH and HOME. */
export interface Chromium {
  readonly program: string
  readonly env: Readonly<Record<string, string>>
}

export const withoutChromium = 'Chromium is not installed and cannot be fetched (Debian: chromium)'

const FETCH_MS = 180_000
const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const home = join(cacheFolder, 'chromium')

/** One that is installed, or else fetched into the cache; undefined on a machine that has no such package. */
export function findChromium(): Chromium | undefined {
  const name = NAMES.find(program => starts({ program, env: {} }))
  if (name !== undefined) return { program: name, env: {} }
  return unpacked() ?? fetched()
}

function unpacked(): Chromium | undefined {
  const program = join(home, 'usr/lib/chromium/chromium')
  if (!existsSync(program)) return undefined
  const libraries = readdirSync(join(home, 'usr/lib'), { recursive: true, encoding: 'utf8' }).filter(file =>
    /\.so(\.|$)/.test(file),
  )
  const folders = new Set(libraries.map(file => dirname(join(home, 'usr/lib', file))))
  const found = { program, env: { LD_LIBRARY_PATH: [...folders].join(':') } }
  return starts(found) ? found : undefined
}

function starts({ program, env }: Chromium): boolean {
  return spawnSync(program, ['--version'], { env: { ...process.env, ...env } }).status === 0
}

/** The package and what it needs beside what is installed, unpacked without the rights to install them. */
function fetched(): Chromium | undefined {
  mkdirSync(cacheFolder, { recursive: true })
  const draft = mkdtempSync(join(cacheFolder, 'draft-'))
  const options = { cwd: draft, timeout: FETCH_MS, encoding: 'utf8' } as const
  try {
    const download = () => spawnSync('apt-get', ['download', ...packages()], options).status === 0
    // The lists of a new machine are old, or not there.
    if (!download() && (spawnSync('apt-get', ['update'], options).status !== 0 || !download())) return undefined
    for (const file of readdirSync(draft).filter(name => name.endsWith('.deb')))
      if (spawnSync('dpkg-deb', ['-x', file, 'chromium'], options).status !== 0) return undefined
    rmSync(home, { recursive: true, force: true })
    renameSync(join(draft, 'chromium'), home)
  } catch {
    // Another test file was faster, and its copy will do.
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return unpacked()
}

function packages(): string[] {
  const args = ['install', '--simulate', '--no-install-recommends', 'chromium']
  const { stdout } = spawnSync('apt-get', args, { encoding: 'utf8', timeout: FETCH_MS })
  const names = [...(stdout ?? '').matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name)
  return names.length === 0 ? ['chromium'] : names
}
