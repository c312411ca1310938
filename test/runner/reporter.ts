import { AssertionError } from 'node:assert'
import { appendFileSync } from 'node:fs'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { must } from '../../src/runtime/assert.ts'

/** What the runner learns about a test file, one JSON line each, in the order things happened. */
export type Report =
  | { readonly kind: 'started'; readonly name: string }
  | { readonly kind: 'ended'; readonly name: string; readonly result?: TestResult }
  /** All tests have ended and the process does not: what keeps it alive. */
  | { readonly kind: 'lingers'; readonly resources: string }

export interface TestResult {
  /** Names of the suites and tests around it, and its own. */
  readonly title: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly ms: number
  /** The error, or why it was skipped. */
  readonly why: string
}

/** The environment variable that names the file to write to. */
export const reportVariable = 'MAXBROD_TEST_REPORT'

const errorCharactersMax = 16_000
const lingerMs = 10_000

/**
 * The reporter that a test file's process is started with. Writes at once, not through the stream that Node offers:
 * what was known must be in the file when the process is killed.
 */
// oxlint-disable-next-line import/no-default-export -- Node takes a reporter only in this way.
export default async function* reports(events: AsyncIterable<TestEvent>): AsyncGenerator<never> {
  const file = must(process.env[reportVariable], reportVariable)
  const write = (report: Report) => appendFileSync(file, `${JSON.stringify(report)}\n`)
  // Names of the tests and suites around the one at hand, by nesting.
  const path: string[] = []
  let running = 0
  // Fires only while something keeps the process alive.
  const linger = setTimeout(() => {
    if (running > 0) return
    write({ kind: 'lingers', resources: process.getActiveResourcesInfo().join(', ') })
    process.exit(1)
  }, lingerMs)
  linger.unref()
  for await (const event of events) {
    linger.refresh()
    if (event.type === 'test:dequeue') {
      running++
      write({ kind: 'started', name: event.data.name })
    }
    if (event.type === 'test:start') path.splice(event.data.nesting, path.length, event.data.name)
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, nesting } = event.data
    running--
    const result = resultOf(event, [...path.slice(0, nesting), name].join(' › '))
    write({ kind: 'ended', name, ...(result === undefined ? {} : { result }) })
  }
  // The end of a generator that yields nothing.
  yield* []
}

/** Undefined for what is no test of its own: a suite that passed, and a parent that failed only by what is in it. */
function resultOf(event: TestEvent & { type: 'test:pass' | 'test:fail' }, title: string): TestResult | undefined {
  const { details, skip, todo } = event.data
  const ms = details.duration_ms
  for (const reason of [skip, todo]) {
    if (reason !== undefined && reason !== false) return { title, outcome: 'skipped', ms, why: String(reason) }
  }
  if (event.type === 'test:pass')
    return details.type === 'suite' ? undefined : { title, outcome: 'passed', ms, why: '' }
  const { error } = event.data.details
  if ('failureType' in error && error.failureType === 'subtestsFailed') return undefined
  return { title, outcome: 'failed', ms, why: explain(error) }
}

/** The error as thrown, with its stack, facts and causes; node:test wraps it in one of its own. */
function explain(error: Error): string {
  const thrown = error.cause instanceof Error ? error.cause : error
  // An assertion says it all in its message; other errors carry facts and causes.
  const full = thrown instanceof AssertionError ? (thrown.stack ?? thrown.message) : inspect(thrown, { depth: 6 })
  const text = full.replaceAll(/^ +at .*\bnode:(internal|async_hooks).*\n?/gm, '').trimEnd()
  return text.length > errorCharactersMax ? `${text.slice(0, errorCharactersMax)} …` : text
}
