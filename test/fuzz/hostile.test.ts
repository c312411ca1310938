import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { hostileFiles } from './hostile-files.ts'
import type { HostileReading } from './read-hostile.ts'

const maxMB = 300
let folder: string

before(() => void (folder = mkdtempSync(join(tmpdir(), 'maxbrod-hostile-'))))
after(() => rmSync(folder, { recursive: true }))

/** With the memory that bin/maxbrod gives to what reads, and what is measured is each file's own. */
const node = ['--expose-gc', '--initial-old-space-size=128', '--disable-warning=ExperimentalWarning']

test('each file of the hostile corpus is refused by a typed error, in less than a second and 300 MB, and nothing of it stays open', async () => {
  const files = [...(await hostileFiles())]
  for (const [n, [, bytes]] of files.entries()) writeFileSync(join(folder, String(n).padStart(3, '0')), bytes)
  const program = [...node, join(import.meta.dirname, 'read-hostile.ts'), folder]
  const { stdout, stderr } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  // Such as the warning that a file was closed by the garbage collection.
  assert.equal(stderr, '')
  const readings = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as HostileReading)
  assert.equal(readings.length, files.length)
  for (const [n, { exit, says, cpuMs, peakMB }] of readings.entries()) {
    const title = files[n]![0]
    assert.equal(exit, 4, `${title}: ${says}`)
    assert.match(says, /^maxbrod: OBJECT_(CORRUPT|LIMIT): /, title)
    assert.ok(cpuMs < 1_000, `${title}: ${cpuMs} ms of a processor`)
    assert.ok(peakMB < maxMB, `${title}: ${peakMB} MB`)
  }
})

test('a thousand changed inputs are refused by an error with a type, or are what others read in them, within 300 MB', () => {
  const program = [join(import.meta.dirname, 'format.ts'), '--inputs', '1000', '--seed', 'slice']
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
  const result = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { inputs: number; maxRssBytes: number }
  assert.equal(result.inputs, 1000)
  assert.ok(result.maxRssBytes > 0 && result.maxRssBytes < maxMB * 1e6)
})
