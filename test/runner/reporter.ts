import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'
import type { TestEvent } from 'node:test/reporters'

/** What the runner learns about a test file, one JSON line each, in the order things happened. */
export type Report =
  | { readonly kind: 'started'; readonly title: string }
  | {
      readonly kind: 'ended'
      readonly title: string
      readonly outcome: Outcome
      readonly ms: number
      readonly why: string
    }

export type Outcome = 'passed' | 'failed' | 'skipped'

const errorCharactersMax = 16_000

/** The reporter that a test file's process is started with. */
// oxlint-disable-next-line import/no-default-export -- Node takes a reporter only in this way.
export default async function* reports(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // Titles of the tests and suites around the one at hand, by nesting.
  const path: string[] = []
  for await (const event of events) {
    if (event.type === 'test:start') {
      path.length = event.data.nesting
      path.push(event.data.name)
      yield line({ kind: 'started', title: path.join(' › ') })
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { nesting, name, details, skip, todo } = event.data
    const title = [...path.slice(0, nesting), name].join(' › ')
    const error = event.type === 'test:fail' ? event.data.details.error : undefined
    // A suite is no test, and one that failed only because something in it failed says nothing new.
    if (error !== undefined && failureType(error) === 'subtestsFailed') continue
    if (error === undefined && details.type === 'suite') continue
    const isSkipped = (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false)
    const outcome = isSkipped ? 'skipped' : error === undefined ? 'passed' : 'failed'
    const why = isSkipped ? String(skip ?? todo) : error === undefined ? '' : explain(error)
    yield line({ kind: 'ended', title, outcome, ms: details.duration_ms, why })
  }
}

function line(report: Report): string {
  return `${JSON.stringify(report)}\n`
}

function failureType(error: Error): unknown {
  return 'failureType' in error ? error.failureType : undefined
}

/** The error as thrown, with its stack, facts and causes; node:test wraps it in one of its own. */
function explain(error: Error): string {
  const thrown = error.cause instanceof Error ? error.cause : error
  // An assertion says it all in its message; other errors carry facts and causes.
  const text = thrown instanceof AssertionError ? (thrown.stack ?? thrown.message) : inspect(thrown, { depth: 6 })
  return text.length > errorCharactersMax ? `${text.slice(0, errorCharactersMax)} …` : text
}
