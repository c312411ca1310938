import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { root } from '../runner/files.ts'
import type { Manifest } from './manifests.ts'
import { parseManifests } from './manifests.ts'
import { kubernetes, runTool } from './tools.ts'

const golden = join(root, 'test/deploy/golden')
const chart = 'deploy/helm/maxbrod'

/** Something that is rendered: a chart with values, or an overlay. */
export interface Rendering {
  /** Its file below golden/, without the end. */
  readonly name: string
  render(): string
}

export const renderings: readonly Rendering[] = [
  ...globSync(`${chart}/ci/*-values.yaml`, { cwd: root })
    .sort()
    .map(values => ({
      name: `helm/${basename(values, '-values.yaml')}`,
      render: () =>
        runTool('helm', [
          'template',
          'maxbrod',
          chart,
          '--namespace',
          'kafka',
          '--kube-version',
          kubernetes.version,
          '--values',
          values,
        ]),
    })),
  ...globSync('deploy/kustomize/{base,restore,overlays/*}/kustomization.yaml', { cwd: root })
    .sort()
    .map(file => ({
      name: `kustomize/${basename(dirname(file))}`,
      render: () => runTool('kustomize', ['build', dirname(file)]),
    })),
]

/** The rendering that is kept. */
export function goldenOf({ name }: Rendering): string {
  const file = join(golden, `${name}.yaml`)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/**
 * A rendering as it is kept: without what other generated files have already, which changes with every alert and panel, and
 * the same for manifests that mean the same.
 */
export function kept(rendered: string): string {
  return parseManifests(rendered)
    .map(manifest => stringify(withoutCopies(manifest), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n')
}

function withoutCopies(manifest: Manifest): object {
  if (manifest.kind === 'PrometheusRule') return { ...manifest, spec: 'deploy/prometheus/rules.yaml' }
  const { data } = manifest
  if (data === undefined || !manifest.metadata.name.includes('dashboard')) return manifest
  return { ...manifest, data: Object.fromEntries(Object.keys(data).map(name => [name, `files/dashboards/${name}`])) }
}

/** A digest of all that renderings are made of, except for what other generated files have already. */
export function digestOfSources(): string {
  const files = globSync(['deploy/helm/**/*.{yaml,tpl,txt}', 'deploy/kustomize/**/*.{yaml,properties}'], { cwd: root })
    .filter(file => !file.startsWith(`${chart}/files/`) && !/\/(NOTES\.txt|_options\.tpl)$/.test(file))
    .sort()
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0${readFileSync(join(root, file), 'utf8')}\0`)
  return `${hash.digest('hex')}\n`
}

export const digestFile = join(golden, 'sources.sha256')

/** `make golden` */
export function writeGolden(): void {
  rmSync(golden, { recursive: true, force: true })
  for (const rendering of renderings) {
    const file = join(golden, `${rendering.name}.yaml`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, kept(rendering.render()))
  }
  writeFileSync(digestFile, digestOfSources())
}

if (import.meta.main) writeGolden()
