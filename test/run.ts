/**
 * The one way to run the tests: `npm test`, `make test`. Words pick files by their path, `--title=<regex>` tests by
 * their title, `--list` only says what would run.
 *
 * Every file runs in a process of its own, so that a crash or a leak stays in its file: pure ones while the servers start; then the
 * system tests, which take longest, and those that share the one broker and the one S3 server, and pure ones beside them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { laneVariable } from './helpers/ports.ts'
import type { TestFile } from './runner/files.ts'
import { compileCache, findTestFiles } from './runner/files.ts'
import { inLanes, lanesOf } from './runner/lanes.ts'
import type { FileResult } from './runner/run-file.ts'
import { runFile } from './runner/run-file.ts'
import { startSharedServers } from './runner/shared-servers.ts'
import { countOf, fileLine, summary } from './runner/summary.ts'
import { CannotPrepare, prepareServers } from './servers/prepare.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false }, title: { type: 'string' } },
})
const files = findTestFiles(positionals)
const seed = process.env['TEST_SEED'] ?? `${Math.floor(Math.random() * 2 ** 31)}`
const stop = new AbortController()

if (values.list) for (const { kind, path } of files) console.log(`${kind.padEnd(6)} ${path}`)
else process.exitCode = await main()

async function main(): Promise<number> {
  const startedAt = performance.now()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort(name))
  // Everything that tests and servers put into temporary files is in here, and goes away with the run.
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-test-'))
  process.env['TMPDIR'] = folder
  process.env['NODE_COMPILE_CACHE'] ??= compileCache
  const results: FileResult[] = []
  let problem = files.length === 0 ? `no test file has ${positionals.join(' or ')} in its path` : undefined
  try {
    for await (const result of runAll(folder)) {
      results.push(result)
      console.log(fileLine(result))
    }
  } catch (error) {
    problem = error instanceof CannotPrepare ? error.message : inspect(error)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  console.log(summary(results, { ms: performance.now() - startedAt, seed, problem }))
  const { passed, failed } = countOf(results.flatMap(result => result.tests))
  if (stop.signal.aborted) return 130
  return problem !== undefined || failed > 0 || passed === 0 ? 1 : 0
}

async function* runAll(folder: string): AsyncGenerator<FileResult> {
  const cores = availableParallelism()
  const ofLane = (lane: number) => ({ [laneVariable]: `${lane}/${lanesOf(cores) + 1}` })
  // Lane 0 is that of the shared servers.
  Object.assign(process.env, ofLane(0))
  const env = { ...process.env, TEST_SEED: seed }
  const ofKind = (kind: TestFile['kind']) => files.filter(file => file.kind === kind)
  const options = { folder, title: values.title, signal: stop.signal }

  if (files.some(file => file.kind !== 'pure')) prepareServers(line => console.log(line))
  const starting = startSharedServers(files)
  await using stack = new AsyncDisposableStack()
  // A start that failed is told here, when all that needs no server has run.
  stack.defer(async () => (await starting)[Symbol.asyncDispose]())
  const run = async (file: TestFile, lane: number): Promise<FileResult> => {
    if (file.kind === 'pure') return runFile(file, { ...options, env: { ...env, ...ofLane(lane) } })
    const servers = await starting
    const logs = servers.recordLogs(file)
    const result = await runFile(file, { ...options, env: { ...env, ...servers.env, ...ofLane(lane) } })
    return { ...result, output: result.output + logs() }
  }
  yield* inLanes([...ofKind('system'), ...ofKind('server'), ...ofKind('pure')], {
    cores,
    servers: starting.then(
      () => true,
      () => false,
    ),
    signal: stop.signal,
    run,
  })
}
