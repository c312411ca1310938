import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../runner/files.ts'

/** maxbrod as `npm install maxbrod-<version>.tgz` puts it into a folder that has nothing else. */
export interface Installed extends Disposable {
  readonly folder: string
  /** What the tarball holds. */
  readonly files: readonly string[]
}

/**
 * Packs what would be published, and installs it: the tarball by tar, and of the checkout's packages those that the lockfile
 * gives to users. So no package of the checkout's own can help out, and no registry is asked.
 */
export function installPacked(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-packed-'))
  const stage = join(folder, 'stage')
  mkdirSync(stage)
  run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', join(stage, 'dist')], root)
  for (const name of ['package.json', 'README.md', 'LICENSE', 'bin', 'docs'])
    cpSync(join(root, name), join(stage, name), { recursive: true })
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts'], stage)) as [Packed]
  const own = join(folder, 'clean/node_modules/maxbrod')
  mkdirSync(own, { recursive: true })
  run('tar', ['-xzf', join(stage, packed.filename), '--strip-components=1', '-C', own], folder)
  for (const name of productionPackages()) {
    mkdirSync(dirname(join(folder, 'clean', name)), { recursive: true })
    cpSync(join(root, name), join(folder, 'clean', name), { recursive: true })
  }
  rmSync(stage, { recursive: true })
  return {
    folder: join(folder, 'clean'),
    files: packed.files.map(({ path }) => path),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Folders of the packages that users get on this platform. */
export function productionPackages(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: true; readonly devOptional?: true }>>
  }
  return Object.entries(packages)
    .filter(([name, { dev, devOptional }]) => name !== '' && dev !== true && devOptional !== true)
    .map(([name]) => name)
    .filter(name => existsSync(join(root, name)))
}

export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}
