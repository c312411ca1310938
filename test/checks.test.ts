import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { root } from './runner/files.ts'

// Among the tests, because all three together take about a second and a change that breaks them is not finished.
const checks = {
  'the type checker is content': ['tsc', '-p', '.'],
  'the linter is content': ['oxlint'],
  'the formatter would change nothing': ['oxfmt', '--check'],
} as const

for (const [title, [command, ...args]] of Object.entries(checks)) {
  test(title, () => {
    const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { cwd: root, encoding: 'utf8' })
    if (status !== 0) assert.fail(stdout + stderr)
  })
}
