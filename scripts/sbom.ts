/**
 * `make sbom`: what is in the package and in the image, in the form of CycloneDX. Asked with --omit=dev, npm leaves out what users
 * and development share (seen with npm 11: tslib); so it is asked about a lockfile that has nothing of development.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

interface Package {
  readonly dev?: true
  readonly devOptional?: true
  readonly devDependencies?: object
}

export function sbom(): string {
  const temporary = mkdtempSync(join(tmpdir(), 'maxbrod-sbom-'))
  try {
    // npm calls what it describes by the name of its folder.
    const folder = join(temporary, 'maxbrod')
    mkdirSync(folder)
    const { devDependencies: _, ...manifest } = read('package.json') as Package
    const lockfile = read('package-lock.json') as { readonly packages: Readonly<Record<string, Package>> }
    const packages = Object.entries(lockfile.packages)
      .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
      .map(([name, { devDependencies: _dev, ...one }]) => [name, one])
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify({ ...lockfile, packages: Object.fromEntries(packages) }),
    )
    const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application']
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return stdout
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

if (import.meta.main) {
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(join(root, 'dist/sbom.cdx.json'), sbom())
}
