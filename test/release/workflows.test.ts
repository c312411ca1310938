import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root } from '../runner/files.ts'

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

interface Job {
  readonly uses?: string
  readonly needs?: string
  readonly 'timeout-minutes'?: number
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly {
    readonly uses?: string
    readonly run?: string
    readonly with?: Readonly<Record<string, unknown>>
  }[]
}

const makefile = readFileSync(join(root, 'Makefile'), 'utf8')
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: object }).scripts,
)
const files = globSync('.github/workflows/*.yml', { cwd: root })

test('there are workflows for tests and for releases', () => assert.equal(files.length, 2))

for (const file of files) {
  const { permissions, jobs } = parse(readFileSync(join(root, file), 'utf8')) as Workflow

  test(`${file}: actions are pinned to one version, and may write only where a job says so`, () => {
    assert.deepEqual(permissions, { contents: 'read' })
    for (const [name, { uses, steps = [], ...job }] of Object.entries(jobs)) {
      if (uses !== undefined) assert.ok(existsSync(join(root, uses)), `${name}: ${uses}`)
      else assert.ok((job['timeout-minutes'] ?? 0) > 0, `${name} may run for ever`)
      if (job.needs !== undefined) assert.ok(Object.hasOwn(jobs, job.needs), `${name}: ${job.needs}`)
      for (const step of steps)
        if (step.uses !== undefined) assert.match(step.uses, /@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/, name)
    }
  })

  test(`${file}: what it makes, runs and reads is there`, () => {
    for (const { steps = [] } of Object.values(jobs)) {
      for (const { run = '', with: given = {} } of steps) {
        for (const [, target] of run.matchAll(/\bmake ([\w-]+)/g))
          assert.match(makefile, new RegExp(`^${target}:`, 'm'))
        for (const [, script = ''] of run.matchAll(/\bnpm run ([\w-]+)/g)) assert.ok(scripts.includes(script), script)
        if (typeof given['file'] === 'string') assert.ok(existsSync(join(root, given['file'])))
      }
    }
  })
}
