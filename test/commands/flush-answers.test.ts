import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { runCommand } from '../helpers/in-process.ts'

test('flush at the port of another program says that it is none of ours, whatever that one answers', async t => {
  let answer = ''
  const server = createServer((_, response) => response.end(answer)).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (answer of ['<html>hello</html>', '{}', 'null', '{"files":[]}', '', 'x'.repeat(100_000)]) {
    const { exit, json, stderr } = await runCommand(['flush', `--flush-port=${port}`])
    assert.equal((json['error'] as { code: string }).code, 'WORKER_UNREACHABLE', stderr)
    assert.match(stderr, /the worker answered 200: .{0,200} · is it really the --flush-port of a maxbrod backup\?/)
    assert.equal(exit, 5)
  }
})
