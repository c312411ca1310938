import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { openDesk } from '../helpers/page-scene.ts'
import { tethered } from '../helpers/tether.ts'
import { root } from '../runner/files.ts'

test('the demo tells its story, compares every record, and leaves nothing behind', async () => {
  await using desk = await openDesk()
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, TMPDIR: desk.folder }
  const before = readdirSync(desk.folder)
  const [program = '', ...args] = 'make demo'.split(' ')
  const child = spawn(...tethered(program, args), { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.equal(code, 0, said)
  assert.match(said, /executor \d got a SIGKILL/)
  assert.match(said, /all \d{6} records are back, once each and in order/)
  assert.deepEqual(readdirSync(desk.folder), before)
})
