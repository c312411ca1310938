import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tethered } from '../helpers/tether.ts'
import type { TestFile } from './files.ts'
import { root } from './files.ts'
import type { Report, TestResult } from './reporter.ts'
import { reportVariable } from './reporter.ts'

export interface FileResult {
  readonly file: TestFile
  readonly tests: readonly TestResult[]
  readonly ms: number
  /** What the process printed, the end of it. Shown only when something failed. */
  readonly output: string
}

export interface RunFileOptions {
  readonly env: NodeJS.ProcessEnv
  /** A folder of the run, for what the reporter writes. */
  readonly folder: string
  /** Only tests whose title matches. */
  readonly title: string | undefined
  readonly signal: AbortSignal
  /** How long the file may take; default by its kind. */
  readonly limitMs?: number
}

// A file that takes longer hangs. The longest system tests kill and restart for a few minutes.
const limitMsByKind = { pure: 300_000, server: 300_000, system: 600_000 } as const
const outputCharactersMax = 20_000

/** Runs one test file in a process of its own. A crash, a hang and an empty file come back as a failed test. */
export async function runFile(file: TestFile, options: RunFileOptions): Promise<FileResult> {
  const { env, folder, title, signal, limitMs = limitMsByKind[file.kind] } = options
  const startedAt = performance.now()
  const reports = join(folder, `${file.path.replaceAll('/', '~')}.jsonl`)
  const args = [
    `--import=${join(import.meta.dirname, 'tether.ts')}`,
    `--test-reporter=${join(import.meta.dirname, 'reporter.ts')}`,
    '--test-reporter-destination=stdout',
    ...(title === undefined ? [] : [`--test-name-pattern=${title}`]),
    join(root, file.path),
  ]
  const child = spawn(...tethered(process.execPath, args), {
    cwd: root,
    env: { ...env, [reportVariable]: reports },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-outputCharactersMax)))
  }
  let isLate = false
  const kill = () => child.kill('SIGKILL')
  const timer = setTimeout(() => {
    isLate = true
    kill()
  }, limitMs)
  signal.addEventListener('abort', kill)
  const ending = await new Promise<string | undefined>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, killedBy) => resolve(code === 0 ? undefined : `code ${code ?? killedBy}`))
  })
  clearTimeout(timer)
  signal.removeEventListener('abort', kill)

  const ms = performance.now() - startedAt
  const { tests, running, lingering } = read(reports)
  const problem = isLate
    ? `it was still running after ${limitMs / 1000} s`
    : (lingering ?? whyBad(ending, tests, title))
  if (problem !== undefined) {
    const where = running.length === 0 ? '' : `; unfinished: ${running.join(', ')}`
    tests.push({ title: 'the file as a whole', outcome: 'failed', ms, why: problem + where })
  }
  return { file, tests, ms, output }
}

/** What is wrong with a file beside its failed tests. */
function whyBad(
  ending: string | undefined,
  tests: readonly TestResult[],
  title: string | undefined,
): string | undefined {
  const hasFailed = tests.some(test => test.outcome === 'failed')
  if (ending !== undefined && !hasFailed) return `the process ended with ${ending}`
  if (tests.length === 0 && title === undefined) return 'there is no test in it'
  return undefined
}

interface Reports {
  readonly tests: TestResult[]
  /** Names of tests that began and did not end. */
  readonly running: readonly string[]
  readonly lingering: string | undefined
}

function read(path: string): Reports {
  const tests: TestResult[] = []
  const running: string[] = []
  let lingering: string | undefined
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  // The last piece is empty, or a line that the process did not live to finish.
  for (const line of lines.slice(0, -1)) {
    const report = JSON.parse(line) as Report
    if (report.kind === 'started') running.push(report.name)
    if (report.kind === 'lingers') lingering = `its tests ended, but the process was kept alive by ${report.resources}`
    if (report.kind !== 'ended') continue
    const at = running.indexOf(report.name)
    if (at >= 0) running.splice(at, 1)
    if (report.result !== undefined) tests.push(report.result)
  }
  return { tests, running, lingering }
}
