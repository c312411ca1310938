import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import type { AddressInfo } from 'node:net'
import { REPORT_PATH } from '../../src/commands/kept-report.ts'
import { reportRoutes } from '../../src/commands/report-on-request.ts'
import type { ReportDeps } from '../../src/commands/make-report.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { runCommand } from '../helpers/in-process.ts'

const request = { query: new URLSearchParams(), signal: new AbortController().signal, isLocal: true }

/** A worker that has nothing in its store: no report of it comes to the point where Kafka is asked. */
function asking(change: Partial<ReportDeps> = {}) {
  const kafka = {} as Kafka
  const { signal } = new AbortController()
  const deps = {
    store: newMemoryStore(),
    kafka,
    clock: systemClock,
    log: silentLogger,
    groupId: 'g',
    version: '1',
    signal,
  }
  const route = reportRoutes({ ...deps, isSealed: false, ...change })[`POST ${REPORT_PATH}`]!
  return async () => {
    const { status, body } = await route(request)
    const { code, hint } = JSON.parse(body) as { code: string; hint: string }
    return { status, code, hint }
  }
}

test('a worker that encrypts says where a report can be made, and one without a file that there is none', async () => {
  const { status, code, hint } = await asking({ isSealed: true })()
  assert.deepEqual([status, code], [409, 'NO_IDENTITY'])
  assert.match(hint, /maxbrod report --identity/)
  const empty = await asking()()
  assert.deepEqual([empty.status, empty.code], [409, 'BACKUP_NOT_FOUND'])
})

test('who asks while a report is made gets that one, and who asks afterwards a new one', async () => {
  const store = newMemoryStore()
  let listings = 0
  const counting = {
    ...store,
    folders: (...args: Parameters<typeof store.folders>) => {
      if (args[0] === '') listings++
      return store.folders(...args)
    },
  }
  const ask = asking({ store: counting })
  await ask()
  const alone = listings
  assert.ok(alone > 0)
  await Promise.all(Array.from({ length: 20 }, ask))
  assert.equal(listings, 2 * alone)
})

test('flush --report tells what was uploaded even when no report was made, and why, with exit code 3', async () => {
  const server = createServer((asked, response) => {
    if (asked.url === REPORT_PATH)
      response.writeHead(409).end('{"code":"NO_IDENTITY","message":"no key","hint":"ask elsewhere"}')
    else response.end('{"files":[],"left":[],"seconds":1}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using _ = { [Symbol.asyncDispose]: () => new Promise<void>(resolve => void server.close(() => resolve())) }
  const { port } = server.address() as AddressInfo
  const { exit, json } = await runCommand(['flush', '--report', `--flush-port=${port}`])
  assert.deepEqual(
    [exit, json['files'], json['noReport']],
    [3, [], { code: 'NO_IDENTITY', message: 'no key', hint: 'ask elsewhere' }],
  )
  assert.equal((await runCommand(['flush', '--report', '--no-wait', `--flush-port=${port}`])).exit, 2)
})
