import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sbom } from '../../scripts/sbom.ts'
import { root } from '../runner/files.ts'

interface Package {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly dev?: true
  readonly devOptional?: true
  readonly hasInstallScript?: true
}

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}
const { packages } = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Package>> }
const forUsers = Object.entries(packages).filter(
  ([name, { dev, devOptional }]) => name !== '' && dev !== true && devOptional !== true,
)
const direct = { ...manifest.dependencies, ...manifest.optionalDependencies }

test('every package that users get has a reason in docs/dependencies.md, and no other stands there', () => {
  const named = [...read('docs/dependencies.md').matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  assert.deepEqual(named.sort(), Object.keys(direct).sort())
})

test('versions are exact, digests are in the lockfile, and no address is', () => {
  for (const [name, version] of Object.entries(direct)) assert.match(version, /^\d+\.\d+\.\d+$/, name)
  for (const [name, { integrity }] of forUsers) assert.match(integrity ?? '', /^sha512-/, name)
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/)
})

test('nothing that users get runs a script when it is installed, and licences are those that are listed', () => {
  const licences = /licences are ([^.;]*)/.exec(
    read('docs/dependencies.md').replaceAll('Apache-2.0', 'Apache-2·0'),
  )?.[1]
  const known = (licences ?? '').replaceAll('·', '.').split(/, | and /)
  for (const [name, { hasInstallScript, license }] of forUsers) {
    assert.notEqual(hasInstallScript, true, name)
    assert.ok(known.includes(license ?? ''), `${name}: ${license}`)
  }
})

test('the bill of materials has every package that users get, and no other', () => {
  const { components } = JSON.parse(sbom()) as {
    readonly components: readonly { readonly name: string; readonly version: string }[]
  }
  const listed = components.map(({ name, version }) => `${name}@${version}`)
  const wanted = forUsers.map(
    ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`,
  )
  assert.deepEqual([...new Set(listed)].sort(), [...new Set(wanted)].sort())
})
