import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../helpers/in-process.ts'

test('a session time-out that the protocol has no room for is refused before anything is contacted', async () => {
  const storage = '--storage=file:///nowhere'
  for (const command of [['backup'], ['restore'], ['drill']]) {
    const { exit, stderr } = await runCommand([...command, storage, '--session-timeout=25d'])
    assert.equal(exit, 2, stderr)
    assert.match(stderr, /USAGE: --session-timeout: '25d' is too large · the largest is 24d/)
  }
})
