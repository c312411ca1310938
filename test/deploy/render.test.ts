import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { goldenOf, kept, renderings } from './renderings.ts'
import { bin, kubernetes, runTool, schemas, without } from './tools.ts'

for (const rendering of renderings) {
  const tool = rendering.name.startsWith('helm/') ? 'helm' : 'kustomize'
  test(`${rendering.name} renders as it is kept`, { skip: without(tool) }, () => {
    assert.equal(kept(rendering.render()), goldenOf(rendering), 'run make golden')
  })
}

const all = without('helm', 'kustomize', 'kubeconform', 'schemas')

test('everything rendered is what Kubernetes and its operators take, and nothing else is', { skip: all }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-manifests-'))
  try {
    for (const one of renderings) writeFileSync(join(folder, `${one.name.replace('/', '-')}.yaml`), one.render())
    writeFileSync(join(folder, 'wrong.yaml'), refused)
    const found = complaints(folder)
    assert.deepEqual(
      found.map(({ filename, name }) => `${basename(filename)} ${name}`).sort(),
      ['wrong.yaml misspelt', 'wrong.yaml misspelt-too', 'wrong.yaml unheard-of'],
      JSON.stringify(found, undefined, 2),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Proof that the schemas are looked into. */
const refused = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: misspelt }
spec: { scaleTargetRef: { name: x }, triggers: [{ type: kafka, metaData: {} }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: misspelt-too }
spec:
  serviceName: x
  replica: 2
  selector: { matchLabels: { a: b } }
  template: { metadata: { labels: { a: b } }, spec: { containers: [{ name: a, image: a }] } }
---
apiVersion: v1
kind: Kettle
metadata: { name: unheard-of }
`

interface Complaint {
  readonly filename: string
  readonly name: string
}

function complaints(folder: string): readonly Complaint[] {
  const locations = [
    join(schemas, 'kubernetes/{{.ResourceKind}}{{.KindSuffix}}.json'),
    join(schemas, '{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json'),
  ]
  const { stdout } = spawnSync(
    join(bin, 'kubeconform'),
    ['-strict', '-output=json', ...locations.flatMap(location => ['-schema-location', location]), folder],
    { encoding: 'utf8' },
  )
  return (JSON.parse(stdout) as { readonly resources: readonly Complaint[] }).resources
}

const chart = 'deploy/helm/maxbrod'
const needed = ['kafka.options.bootstrapServer=kafka:9092', 'storage.options.storage=s3://backups/prod']
const template = (...values: readonly string[]) =>
  runTool('helm', [
    'template',
    'x',
    chart,
    '--kube-version',
    kubernetes.version,
    ...values.flatMap(one => ['--set', one]),
  ])

describe('values of the chart', { skip: without('helm') }, () => {
  test('two are enough', () => assert.match(template(...needed), /kind: StatefulSet/))

  for (const [wrong, because] of [
    ['backup.options.minFilesize=5MiB', /minFilesize/],
    ['backup.options.minFileSize=5M', /minFileSize/],
    ['backup.options.once=true', /once/],
    ['backup.options.maxFileAge=300', /maxFileAge/],
    ['restore.options.verify=everything', /verify/],
    ['restore.mode=jobs', /mode/],
    ['backup.replica=3', /replica/],
    ['kafka.mtls.caSecret=ca', /needs both caSecret and userSecret/],
    ['storage.options.storage=', /storage/],
  ] as const) {
    test(`${wrong} is refused by its name`, () => assert.throws(() => template(...needed, wrong), because))
  }

  test('large numbers are written out', () => {
    assert.match(template(...needed, 'backup.options.maxFileRecords=12000000'), /value: "12000000"/)
  })

  test('the ports of all addresses in the values can be reached', () => {
    const ports = (...values: readonly string[]) =>
      [...template(...needed, ...values).matchAll(/- { port: (\d+), protocol: TCP }\n/g)].map(([, port]) =>
        Number(port),
      )
    const usual = ports()
    assert.deepEqual(usual, [9092, 9093, 9094, 9096, 9098, 443])
    const more = ports(
      'kafka.options.bootstrapServer={a:9095,b:9095,c}',
      'storage.options.s3Endpoint=http://minio:9000/',
      'storage.options.s3Proxy=http://proxy',
    )
    assert.deepEqual(more, [...usual, 9095, 9000, 80])
    assert.deepEqual(ports('kafka.options.bootstrapServer=a:19092\\,b:19093'), [...usual, 19_092, 19_093])
    assert.deepEqual(ports('storage.options.s3Endpoint=https://store'), usual)
  })

  test('who waits for the plan has what the one that it waits for has', () => {
    const values = ['plan.enabled=true', 'restore.enabled=true', 'envFromSecrets={credentials}']
    const [job = ''] = template(...needed, ...values)
      .split('---\n')
      .filter(one => /name: x-maxbrod-restore-/.test(one))
    assert.equal([...job.matchAll(/secretRef: { name: credentials }/g)].length, 2)
  })

  test('the pruner may have a service account and Secrets of its own, which nobody else gets', () => {
    const own = ['schedules.prune.serviceAccount=pruner', 'schedules.prune.envFromSecrets={delete-credentials}']
    const schedules = ['prune', 'verify'].map(name => `schedules.${name}.enabled=true`)
    const keep = 'schedules.prune.options.keep=30d'
    const rendered = template(...needed, ...schedules, keep, ...own, 'envFromSecrets={credentials}').split('---\n')
    const pods = rendered.filter(one => /^kind: (?:StatefulSet|Deployment|CronJob)$/m.test(one))
    assert.ok(pods.length > 2, `${pods.length} pods`)
    for (const pod of pods) {
      const isPruner = /kind: CronJob[^]*name: x-maxbrod-prune\n/.test(pod)
      assert.deepEqual(
        [/serviceAccountName: (.*)/.exec(pod)?.[1], /secretRef: { name: (.*) }/.exec(pod)?.[1]],
        isPruner ? ['pruner', 'delete-credentials'] : ['x-maxbrod', 'credentials'],
      )
    }
    assert.equal(pods.filter(pod => pod.includes('serviceAccountName: pruner')).length, 1)
  })

  test('a Job is another one when its pod changes, and the same when nothing does', () => {
    const name = (...values: readonly string[]) =>
      /name: x-maxbrod-(plan-\w+)/.exec(template(...needed, 'plan.enabled=true', ...values))?.[1]
    assert.equal(name(), name('backup.replicas=5'))
    assert.notEqual(name(), name('plan.options.createTopics=true'))
  })

  test('lint has nothing to say', () => {
    const said = runTool('helm', ['lint', '--strict', chart, ...needed.flatMap(one => ['--set', one])])
    assert.match(said, /0 chart\(s\) failed/)
  })
})
