import { parseAllDocuments } from 'yaml'

/** An object of Kubernetes, as far as tests look into it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
}

interface PodTemplate {
  readonly spec: {
    readonly containers: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly enableServiceLinks?: boolean
  }
}

interface Container {
  readonly image: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly ports?: readonly { readonly containerPort: number }[]
  readonly lifecycle?: { readonly preStop?: { readonly exec: { readonly command: readonly string[] } } }
  readonly securityContext?: Readonly<Record<string, unknown>>
}

/** One run of maxbrod that a manifest asks for. */
export interface Run {
  /** Kind and name of the manifest. */
  readonly where: string
  readonly argv: readonly string[]
  /** What comes from elsewhere (a field of the pod) is '0', which most kinds of options can read. */
  readonly env: Readonly<Record<string, string>>
  readonly container: Container
  readonly pod: PodTemplate['spec']
}

/** As Kubernetes reads them: there, YES is no text. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap(document => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0] as Error
    const value = (document as { toJS(): unknown }).toJS()
    return value === null ? [] : [value as Manifest]
  })
}

/** Every container that runs maxbrod, and every hook that calls it. */
export function runsOf(manifests: readonly Manifest[]): Run[] {
  const config = new Map(manifests.filter(({ kind }) => kind === 'ConfigMap').map(one => [one.metadata.name, one.data]))
  return manifests.flatMap(({ kind, metadata, spec }) => {
    const pod = podOf(kind, spec)
    if (pod === undefined) return []
    return [...pod.containers, ...(pod.initContainers ?? [])].flatMap(container => {
      const shared = (container.envFrom ?? []).flatMap(({ configMapRef }) =>
        Object.entries(config.get(configMapRef?.name ?? '') ?? {}),
      )
      const own = (container.env ?? []).map(({ name, value }) => [name, value ?? '0'] as const)
      const env = Object.fromEntries([...shared, ...own])
      const run = { where: `${kind} ${metadata.name}`, env, container, pod }
      const hook = container.lifecycle?.preStop?.exec.command.slice(1)
      return [{ ...run, argv: container.args ?? [] }, ...(hook === undefined ? [] : [{ ...run, argv: hook }])]
    })
  })
}

function podOf(kind: string, spec: Manifest['spec']): PodTemplate['spec'] | undefined {
  if (kind === 'Pod') return spec as unknown as PodTemplate['spec']
  const job = kind === 'CronJob' ? (spec as { jobTemplate: { spec: Manifest['spec'] } }).jobTemplate.spec : spec
  return (job?.['template'] as PodTemplate | undefined)?.spec
}
