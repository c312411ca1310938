import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../runner/files.ts'

/** Where prepare.ts puts what renders and validates. */
export const cache = join(root, '.cache/deploy')
export const bin = join(cache, 'bin')
export const schemas = join(cache, 'schemas')

/** Modules of Go, by the command that they build. */
export const tools = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.2',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
} as const

/** Modules of Go that hold the definitions of kinds which are not Kubernetes' own. */
export const kinds = [
  { module: 'github.com/kedacore/keda/v2@v2.21.0', folder: 'config/crd/bases' },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
  },
] as const

/** Kubernetes' own schemas come in a package of Python. */
export const kubernetes = { package: 'kubernetes-validate==1.37.0', version: '1.37.0' } as const

/** Why a test that needs these is skipped; false when they are there. */
export function without(...names: readonly (keyof typeof tools | 'schemas')[]): string | false {
  const missing = names.filter(name => !existsSync(name === 'schemas' ? join(schemas, 'complete') : join(bin, name)))
  return missing.length > 0 && `${missing.join(', ')} not there: make test-deploy brings them`
}

/** What the tool prints; its complaint as an error. */
export function runTool(tool: keyof typeof tools, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(join(bin, tool), args, {
    cwd: root,
    encoding: 'utf8',
    input,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
