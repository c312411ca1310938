import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../servers/jars.ts'

/** The programs of Debian's package `age`. */
export interface StockAge {
  /** Where they are; empty when they are in PATH. */
  readonly folder: string
  /** Runs `age` with the input, and answers with its output; throws what it says when it fails. */
  age(args: readonly string[], input: Buffer): Buffer
  /** Runs `age-keygen`. */
  keygen(args: readonly string[], input?: string): string
}

export const withoutAge = 'age is not installed and cannot be fetched (Debian: age)'

const FETCH_MS = 30_000

/** Those that are installed, or else fetched into the cache; undefined on a machine that has no such package. */
export function findStockAge(): StockAge | undefined {
  const folder = ['', join(cacheFolder, 'age/usr/bin/')].find(isThere) ?? fetched()
  if (folder === undefined) return undefined
  return {
    folder,
    age: (args, input) => run(`${folder}age`, args, input),
    keygen: (args, input = '') => run(`${folder}age-keygen`, args, Buffer.from(input)).toString(),
  }
}

function isThere(folder: string): boolean {
  return ['age', 'age-keygen'].every(name => spawnSync(`${folder}${name}`, ['--version']).error === undefined)
}

/** A package is unpacked without the rights to install it. */
function fetched(): string | undefined {
  mkdirSync(cacheFolder, { recursive: true })
  const draft = mkdtempSync(join(cacheFolder, 'draft-'))
  const folder = join(cacheFolder, 'age/usr/bin/')
  try {
    const options = { cwd: draft, timeout: FETCH_MS }
    if (spawnSync('apt-get', ['download', 'age'], options).status !== 0) return undefined
    const file = readdirSync(draft).find(name => name.endsWith('.deb')) ?? ''
    if (spawnSync('dpkg-deb', ['-x', file, 'age'], options).status !== 0) return undefined
    renameSync(join(draft, 'age'), join(cacheFolder, 'age'))
  } catch {
    // Another test file was faster, and its copy will do.
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return isThere(folder) ? folder : undefined
}

function run(program: string, args: readonly string[], input: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 256 * 1024 * 1024 })
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.toString()}`)
  return stdout
}
