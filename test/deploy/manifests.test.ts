import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { chartCommands, chartOptions } from '../../scripts/deploy/chart-options.ts'
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
