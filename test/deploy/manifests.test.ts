import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { chartCommands, chartOptions } from '../../scripts/deploy/chart-options.ts'
import { commandTable, findCommand } from '../../src/commands/command-table.ts'
import { commonSections } from '../../src/commands/common-sections.ts'
import { declaredOptions } from '../../src/config/declared.ts'
import { parse } from '../../src/config/parse.ts'
import type { Run } from './manifests.ts'
import { parseManifests, runsOf } from './manifests.ts'
import { digestFile, digestOfSources, goldenOf, renderings } from './renderings.ts'

/** Variables that are not options: of the SDK of the object store, and of Node. */
const notOurs = /^(AWS|NODE)_/

test('what is kept of the renderings is newer than charts and overlays', () => {
  assert.equal(readFileSync(digestFile, 'utf8'), digestOfSources(), 'stale: make test-deploy, then make golden')
})

for (const rendering of renderings) {
  describe(rendering.name, () => {
    const runs = runsOf(parseManifests(goldenOf(rendering)))

    test('runs maxbrod', () => assert.ok(runs.length > 0))

    test('every command can be run as it is called, with options that it has', async () => {
      for (const run of runs) await assertRuns(run)
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

async function assertRuns({ argv: [name = '', ...flags], env, where }: Run): Promise<void> {
  const { sections } = await findCommand(commandTable, name)
  const all = [...sections, ...commonSections]
  const input = { argv: flags, env: name === 'flush' ? {} : env, readFile: () => '' }
  const { warnings } = parse(all, input)
  // A store or broker beside the pods may speak without TLS; that much is said, and is meant.
  assert.deepEqual(
    warnings.filter(warning => !warning.includes('is not encrypted')),
    [],
    where,
  )
  if (name === 'flush') return
  const known = declaredOptions(all).flatMap(({ variables }) => variables.map(variable => variable.name))
  const unknown = Object.keys(env).filter(variable => !known.includes(variable) && !notOurs.test(variable))
  assert.deepEqual(unknown, [], `${where}: no options of ${name}`)
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
