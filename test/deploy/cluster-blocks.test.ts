import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseClientProperties } from '../../src/kafka/client-properties.ts'
import { blocksOf, commandsOf, pages } from '../helpers/page-blocks.ts'
import { root } from '../runner/files.ts'
import { assertRuns } from './assert-runs.ts'
import type { Manifest } from './manifests.ts'
import { parseManifests, runsOf } from './manifests.ts'
import { goldenOf, renderings } from './renderings.ts'

// Nobody has a cluster at hand where the tests run: names are looked up in what is rendered, options in their table.

const blocks = pages.flatMap(page => blocksOf(page))
const commands = blocks.filter(({ info }) => info === 'sh cluster').flatMap(block => commandsOf(block))
const manifests = renderings
  .filter(({ name }) => name.startsWith('helm/'))
  .flatMap(one => parseManifests(goldenOf(one)))
const schema = JSON.parse(readFileSync(join(root, 'deploy/helm/maxbrod/values.schema.json'), 'utf8')) as Schema

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly type?: unknown
}

const kinds: Readonly<Record<string, string>> = { statefulset: 'StatefulSet', deploy: 'Deployment', job: 'Job' }

/** What a line means; each pattern is a kind of line, and a line of no kind fails. */
const meanings: readonly (readonly [RegExp, (...words: string[]) => void | Promise<void>])[] = [
  [/^helm (?:install|upgrade) \S+ (\S+) (.*)$/, (chart, rest) => assertHelm(chart, rest)],
  [/^helm test maxbrod -n kafka$/, () => assert.ok(find('Pod', 'maxbrod-test'))],
  [/^kubectl -n kafka exec (\S+) -- maxbrod (.*)$/, (pod, words) => assertExec(pod, words)],
  [
    /^kubectl -n kafka rollout (?:status|restart) (\w+)\/(\S+)$/,
    (kind, name) => assert.ok(find(kinds[kind] ?? '', name)),
  ],
  [/^kubectl -n kafka create secret generic (\S+) --from-file=(\S+)$/, (name, key) => assertSecret(name, key)],
  [/^kubectl -n kafka port-forward pod\/(\S+)-\d+ (\d+)$/, (name, port) => assertPort(name, Number(port))],
  [/^kubectl apply -k (\S+)$/, folder => assert.ok(existsSync(join(root, folder, 'kustomization.yaml')))],
  [/^kubectl -n kafka apply -f (\S+)$/, file => assert.ok(existsSync(join(root, file)))],
  [/^kubectl -n kafka (?:get jobs|logs -f) -l (\S+)$/, labels => assertLabels(labels)],
  [/^docker buildx build .* -f (\S+) /, file => assert.ok(existsSync(join(root, file)))],
]

test('pages have commands for a cluster', () => assert.ok(commands.length >= 18, `${commands.length}`))

for (const { text: line, where } of commands) {
  test(`${where}: ${line}`, async () => {
    const meaning = meanings.find(([pattern]) => pattern.test(line))
    assert.ok(meaning, 'no test knows such a line')
    const [pattern, check] = meaning
    await check(...(pattern.exec(line) ?? []).slice(1))
  })
}

test('every client.properties can be read', () => {
  const overlay = readFileSync(join(root, 'deploy/kustomize/overlays/msk-iam/client.properties'), 'utf8')
  const shown = blocks
    .filter(({ page, info }) => page === 'docs/kubernetes.md' && info === 'properties')
    .map(({ lines }) => lines.map(({ text }) => text).join('\n'))
  assert.equal(shown.length, 1)
  for (const text of [overlay, ...shown]) {
    const { sasl, tls } = parseClientProperties(text, () => '')
    assert.notEqual(tls, null)
    assert.notEqual(sasl, null)
  }
})

function find(kind: string, name: string): Manifest | undefined {
  return manifests.find(one => one.kind === kind && one.metadata.name === name)
}

function assertHelm(chart: string, rest: string): void {
  assert.ok(existsSync(join(root, chart, 'Chart.yaml')))
  const words = rest.split(' ')
  for (const [index, word] of words.entries()) {
    if (word === '-f') assert.ok(existsSync(join(root, words[index + 1] ?? '')), words[index + 1])
    if (word === '--set') assertValue(words[index + 1] ?? '')
  }
}

/** The key is one of the schema, down to where anything may stand. */
function assertValue(assignment: string): void {
  const keys = assignment.slice(0, assignment.indexOf('=')).split(/(?<!\\)\./)
  let at: Schema = schema
  for (const key of keys) {
    if (at.properties === undefined && at.type === 'object') return
    const next = at.properties?.[key]
    assert.ok(next, `${assignment}: there is no ${key}`)
    at = next
  }
}

async function assertExec(pod: string, words: string): Promise<void> {
  const [kind = '', name = ''] = pod.includes('/') ? pod.split('/') : ['statefulset', pod.replace(/-\d+$/, '')]
  const workload = find(kinds[kind] ?? '', name)
  assert.ok(workload, `there is no ${pod}`)
  const [run] = runsOf([workload])
  await assertRuns({ where: words, argv: words.split(' '), env: run?.env ?? {}, isShared: true })
}

function assertPort(name: string, port: number): void {
  const [run] = runsOf([find('StatefulSet', name)].filter(found => found !== undefined))
  assert.ok(
    run?.container.ports?.some(({ containerPort }) => containerPort === port),
    `${name} opens no port ${port}`,
  )
}

function assertSecret(name: string, key: string): void {
  const isMounted = manifests.some(one => JSON.stringify(one).includes(`"secretName":"${name}"`))
  assert.ok(isMounted, `no pod mounts ${name}`)
  assert.ok(JSON.stringify(manifests).includes(`/${key}"`), `no pod reads ${key}`)
}

function assertLabels(selector: string): void {
  const wanted = selector.split(',').map(label => label.split('=') as [string, string])
  const { 'app.kubernetes.io/instance': instance, ...others } = Object.fromEntries(wanted)
  assert.ok(instance)
  const all = manifests.map(({ metadata }) => metadata.labels ?? {})
  assert.ok(all.some(labels => Object.entries(others).every(([label, value]) => labels[label] === value)))
}
