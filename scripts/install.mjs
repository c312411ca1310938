/**
 * Installs what package-lock.json says unless it is there. Plain JavaScript, because on a fresh machine the Node that
 * runs this may be an old one.
 *
 * npm writes what it installed into node_modules/.package-lock.json, entry by entry as in the lockfile. What the
 * lockfile has and that has not may only be optional: packages for other platforms.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

if (!isInstalled()) {
  // Packages need no scripts of theirs to be installed here, and so they get no chance to run any.
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
}

function isInstalled() {
  const wanted = packagesOf('package-lock.json')
  const installed = packagesOf('node_modules/.package-lock.json')
  if (wanted === undefined || installed === undefined) return false
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true
    if (installed[name] === undefined) return entry.optional === true
    return JSON.stringify(installed[name]) === JSON.stringify(entry)
  })
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}
