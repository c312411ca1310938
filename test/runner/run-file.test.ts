import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { root } from './files.ts'
import type { FileResult } from './run-file.ts'
import { runFile } from './run-file.ts'

const begin = `import { test } from 'node:test'\nimport assert from 'node:assert/strict'\n`

test('passed, failed and skipped tests are told apart, and a suite is none of them', async () => {
  const { tests } = await run(`${begin}
    import { describe } from 'node:test'
    describe('suite', () => {
      test('good', () => {})
      test('bad', () => assert.equal(1, 2))
    })
    test('parent', async t => { await t.test('child', () => { throw new TypeError('broken', { cause: 'facts' }) }) })
    test('left out', { skip: 'because' }, () => {})
  `)
  assert.deepEqual(
    tests.map(({ title, outcome }) => [title, outcome]),
    [
      ['suite › good', 'passed'],
      ['suite › bad', 'failed'],
      ['parent › child', 'failed'],
      ['left out', 'skipped'],
    ],
  )
  assert.match(tests[1]!.why, /1 !== 2/)
  assert.match(tests[2]!.why, /TypeError: broken[^]*facts/)
  assert.equal(tests[3]!.why, 'because')
})

const broken = {
  'a file that crashes after its tests': ['process.exitCode = 7', /ended with code 7/],
  'a file that dies in a test': [
    `test('dies', () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50) && new Promise(() => {}))`,
    /SIGKILL; unfinished: dies/,
  ],
  'a file that cannot be loaded': [`import './no-such-file.ts'`, /ended with code 1/],
  'a file without a test': ['', /there is no test in it/],
  'a file that leaves something open': [
    `test('leaks', () => void setInterval(() => {}, 1_000))`,
    /kept alive by[^]*Timeout/,
  ],
  'a file that hangs': [
    `test('hangs', () => new Promise(resolve => setTimeout(resolve, 60_000)))`,
    /still running[^]*hangs/,
  ],
} as const satisfies Record<string, readonly [string, RegExp]>

for (const [title, [source, why]] of Object.entries(broken)) {
  test(`${title} is a failure`, async () => {
    const isEmpty = source === ''
    const file = isEmpty ? '' : `${begin}test('good', () => {})\n${source}`
    // A process that hangs is ended at its limit; on a busy machine it needs more than the least one to begin.
    let limitMs = title.includes('hangs') ? 1_500 : 60_000
    let { tests } = await run(file, { limitMs })
    while (!why.test(tests.at(-1)?.why ?? '') && limitMs < 48_000)
      ({ tests } = await run(file, { limitMs: (limitMs *= 2) }))
    assert.equal(tests.at(-1)?.title, 'the file as a whole')
    assert.match(tests.at(-1)!.why, why)
  })
}

test('what a file prints is kept for the report', async () => {
  const { output } = await run(`${begin}test('good', () => console.log('said so'))`)
  assert.match(output, /said so/)
})

test('a run that is stopped ends its files', async () => {
  const { ms } = await run(`${begin}test('long', () => new Promise(resolve => setTimeout(resolve, 60_000)))`, {
    signal: AbortSignal.timeout(500),
  })
  assert.ok(ms < 55_000)
})

async function run(source: string, more: { limitMs?: number; signal?: AbortSignal } = {}): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-runner-'))
  try {
    const path = join(folder, 'file.test.ts')
    writeFileSync(path, source)
    const file = { path: relative(root, path), kind: 'pure', needsKafka: false, needsS3: false } as const
    return await runFile(file, {
      env: process.env,
      folder,
      title: undefined,
      signal: new AbortController().signal,
      ...more,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
