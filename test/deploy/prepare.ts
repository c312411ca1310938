/**
 * `make test-deploy` begins with this: builds helm, kustomize and kubeconform, and puts the schemas that manifests are
 * validated against into .cache/deploy. Needs Go and Python; afterwards nothing is fetched any more.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { runTool } from '../helpers/run-tool.ts'
import { root } from '../runner/files.ts'
import { bin, cache, kinds, kubernetes, schemas, tools } from './tools.ts'

mkdirSync(bin, { recursive: true })
for (const [tool, module] of Object.entries(tools)) {
  if (existsSync(join(bin, tool))) continue
  console.log(`building ${module}`)
  runTool('go', ['install', '-ldflags=-s -w', module], { GOBIN: bin })
}

const complete = join(schemas, 'complete')
const wanted = JSON.stringify({ kinds, kubernetes })
if (!existsSync(complete) || readFileSync(complete, 'utf8') !== wanted) {
  rmSync(schemas, { recursive: true, force: true })
  writeKubernetes()
  for (const { module, folder } of kinds) {
    const { Dir } = JSON.parse(runTool('go', ['mod', 'download', '-json', module])) as { Dir: string }
    for (const file of globSync(`${folder}/*.yaml`, { cwd: Dir }))
      writeDefinitions(readFileSync(join(Dir, file), 'utf8'))
  }
  // Strimzi's definitions are in no registry: those few lines are written by hand.
  for (const file of globSync('test/deploy/schemas/*.yaml', { cwd: root }))
    writeDefinitions(readFileSync(join(root, file), 'utf8'))
  writeFileSync(complete, wanted)
}

function writeKubernetes(): void {
  const download = join(cache, 'download')
  runTool('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', download, kubernetes.package])
  const [wheel = ''] = globSync('*.whl', { cwd: download })
  runTool('python3', ['-m', 'zipfile', '-e', join(download, wheel), download])
  const from = join(download, 'kubernetes_validate/kubernetes-json-schema', `v${kubernetes.version}-local-strict`)
  mkdirSync(schemas, { recursive: true })
  const to = join(schemas, 'kubernetes')
  runTool('mv', [from, to])
  // They name themselves and each other by addresses that nobody is to ask.
  for (const file of globSync('*.json', { cwd: to })) {
    const { $id: _id, $schema: _schema, ...schema } = JSON.parse(readFileSync(join(to, file), 'utf8')) as Schema
    writeFileSync(join(to, file), JSON.stringify(schema).replaceAll('"/api/_definitions.json#', '"_definitions.json#'))
  }
  rmSync(download, { recursive: true })
}

interface Definition {
  readonly kind?: string
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

function writeDefinitions(text: string): void {
  for (const document of parseAllDocuments(text)) {
    const definition = (document as { toJS(): unknown }).toJS() as Definition | null
    if (definition?.kind !== 'CustomResourceDefinition') continue
    const { group, names, versions } = definition.spec
    for (const { name, schema } of versions) {
      const file = join(schemas, group, `${names.kind.toLowerCase()}_${name}.json`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, JSON.stringify(strict(schema.openAPIV3Schema, true)))
    }
  }
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly [key: string]: unknown
}

/** As the API server reads it: what is not named is refused, and some values are numbers or texts. */
function strict(schema: Schema, isTop = false): Schema {
  const { properties, items, additionalProperties: more } = schema
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || properties === undefined
  const entries = Object.entries(properties ?? {}).map(([key, one]) => [
    key,
    // Any object may have these; a definition says nothing of what is in them.
    isTop && key === 'metadata' ? { type: 'object' } : strict(one),
  ])
  return {
    ...schema,
    ...(schema['x-kubernetes-int-or-string'] === true ? { type: ['integer', 'string'], anyOf: undefined } : {}),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(entries) as Record<string, Schema> }),
    ...(items === undefined ? {} : { items: strict(items) }),
    ...(typeof more === 'object'
      ? { additionalProperties: strict(more) }
      : isOpen
        ? {}
        : { additionalProperties: false }),
  }
}
