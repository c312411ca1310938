import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { chartCommands, chartOptions } from '../../scripts/deploy/chart-options.ts'
import { NEEDS } from '../../src/check/purpose.ts'
import type { Purpose } from '../../src/check/purpose.ts'
import { assertRuns } from './assert-runs.ts'
import { parseManifests, runsOf } from './manifests.ts'
import { digestFile, digestOfSources, goldenOf, renderings } from './renderings.ts'

test('what is kept of the renderings is newer than charts and overlays', () => {
  assert.equal(readFileSync(digestFile, 'utf8'), digestOfSources(), 'stale: make test-deploy, then make golden')
})

for (const rendering of renderings) {
  describe(rendering.name, () => {
    const runs = runsOf(parseManifests(goldenOf(rendering)))

    test('runs maxbrod', () => assert.ok(runs.length > 0))

    test('every command can be run as it is called, with options that it has', async () => {
      for (const run of runs)
        await assertRuns({ ...run, isShared: run.argv[0] === 'flush' || run.argv[0] === 'status' })
    })

    test('every pod is nobody’s, changes nothing but its volumes, and hears of no service', () => {
      for (const { container, pod, where } of runs) {
        const { securityContext: own = {} } = container
        assert.equal(own['readOnlyRootFilesystem'], true, where)
        assert.equal(own['allowPrivilegeEscalation'], false, where)
        assert.deepEqual(own['capabilities'], { drop: ['ALL'] }, where)
        assert.equal(pod.enableServiceLinks, false, where)
        const { securityContext, automountServiceAccountToken } = pod as unknown as Record<string, object | boolean>
        assert.equal((securityContext as Record<string, unknown>)['runAsNonRoot'], true, where)
        assert.equal(automountServiceAccountToken, false, where)
      }
    })
  })
}

test('the chart runs every command that is for pods, and what it shares all of them mean alike', async () => {
  const options = await chartOptions()
  const shared = ['kafka', 'storage', 'log'].flatMap(path => options[path] ?? [])
  assert.ok(shared.length > 15)
  for (const path of Object.keys(chartCommands)) {
    const clash = (options[path] ?? []).filter(({ key }) => shared.some(one => one.key === key))
    assert.deepEqual(
      clash.map(({ key }) => key),
      [],
      path,
    )
  }
  for (const path of ['backup', 'plan', 'restore', 'groupsBackup', 'groupsRestore', 'schedules.verify'])
    assert.ok((options[path] ?? []).length > 2, path)
})

interface User {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: { readonly authorization: { readonly acls: readonly Acl[] } }
}

interface Acl {
  readonly resource: { readonly type: string; readonly name?: string; readonly patternType?: string }
  readonly operations: readonly string[]
}

/** The users of Strimzi in the overlays, and what they run. */
const users: Readonly<Record<string, readonly Purpose[]>> = {
  maxbrod: ['backup', 'groups-backup'],
  'maxbrod-plan': ['plan'],
  'maxbrod-restore': ['restore'],
  'maxbrod-groups-restore': ['groups-restore'],
}

test('the users of Strimzi in the overlays have the rights that maxbrod check asks for', () => {
  const all = renderings.flatMap(rendering => parseManifests(goldenOf(rendering)) as unknown as User[])
  const found = new Map(all.filter(({ kind }) => kind === 'KafkaUser').map(user => [user.metadata.name, user]))
  assert.deepEqual([...found.keys()].toSorted(), Object.keys(users).toSorted())
  for (const [name, purposes] of Object.entries(users)) {
    const { acls } = found.get(name)!.spec.authorization
    const may = (type: string, ofName: string) =>
      acls
        .filter(({ resource }) => resource.type === type)
        .filter(({ resource: { name: given = '', patternType } }) =>
          patternType === 'prefix' ? ofName.startsWith(given) : ['', '*', ofName].includes(given),
        )
        .flatMap(({ operations }) => operations.map(operation => operation.toUpperCase()))
    for (const purpose of purposes) {
      const { topics, planTopic, group, cluster } = NEEDS[purpose]
      const groupId = purpose === 'restore' ? 'maxbrod.restore.maxbrod.plan' : 'maxbrod'
      const missing = [
        ...topics.filter(({ operation }) => !may('topic', 'orders').includes(asAcl(operation))),
        ...planTopic.filter(({ operation }) => !may('topic', 'maxbrod.plan').includes(asAcl(operation))),
        ...group.filter(({ operation }) => !may('group', groupId).includes(asAcl(operation))),
        // To create topics is granted on topics as well.
        ...cluster.filter(
          ({ operation }) => ![...may('cluster', ''), ...may('topic', 'orders')].includes(asAcl(operation)),
        ),
      ]
      assert.deepEqual(missing, [], `${name}: ${purpose}`)
    }
  }
})

/** ALTER_CONFIGS → ALTERCONFIGS, as Strimzi's AlterConfigs in capitals. */
function asAcl(operation: string): string {
  return operation.replaceAll('_', '')
}
