import type { TestResult } from './reporter.ts'
import type { FileResult } from './run-file.ts'

const slowestShown = 10
const outputLinesShown = 60

export interface RunFacts {
  readonly ms: number
  readonly seed: string
  /** What went wrong beside the tests, such as a server that did not start. Counts as one failure. */
  readonly problem: string | undefined
}

/** One line per file, as soon as it is done. */
export function fileLine({ file, tests, ms }: FileResult): string {
  const { passed, failed, skipped } = countOf(tests)
  const words = [`${passed} passed`]
  if (failed > 0) words.push(`${failed} failed`)
  if (skipped > 0) words.push(`${skipped} skipped`)
  return `${failed > 0 ? 'FAIL' : 'ok  '} ${seconds(ms).padStart(7)}  ${file.path}  ${words.join(', ')}`
}

/** The end of a run: failures in full, what was skipped and why, the slowest tests, and the counts as the last line. */
export function summary(results: readonly FileResult[], run: RunFacts): string {
  const lines: string[] = []
  if (run.problem !== undefined) lines.push('', `the run broke off: ${run.problem}`)
  for (const { file, tests, output } of results) {
    const failed = tests.filter(test => test.outcome === 'failed')
    for (const test of failed) lines.push('', `FAILED ${file.path}: ${test.title}`, indent(test.why))
    if (failed.length === 0 || output.trim() === '') continue
    lines.push(
      '',
      `  printed by ${file.path}:`,
      indent(output.trimEnd().split('\n').slice(-outputLinesShown).join('\n')),
    )
  }
  const all = results.flatMap(({ file, tests }) =>
    tests.map(test => ({ ...test, where: `${file.path}: ${test.title}` })),
  )
  const { passed, failed, skipped } = countOf(all)
  if (skipped > 0) {
    lines.push('', 'skipped')
    for (const test of all) if (test.outcome === 'skipped') lines.push(`  ${test.where} (${test.why})`)
  }
  if (all.length > 0) lines.push('', 'slowest')
  for (const test of [...all].sort((a, b) => b.ms - a.ms).slice(0, slowestShown)) {
    lines.push(`  ${seconds(test.ms).padStart(7)}  ${test.where}`)
  }
  // Once more as the last lines: who keeps only the end of a log must learn what failed.
  for (const test of all) {
    if (test.outcome === 'failed') lines.push('', `FAILED ${test.where}`, indent(firstLines(test.why)))
  }
  const failures = failed + (run.problem === undefined ? 0 : 1)
  lines.push('', `${seconds(run.ms)} in all, ${results.length} files, TEST_SEED=${run.seed}`)
  lines.push(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return lines.join('\n')
}

export function countOf(tests: readonly Pick<TestResult, 'outcome'>[]): Record<TestResult['outcome'], number> {
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const { outcome } of tests) count[outcome]++
  return count
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function firstLines(text: string): string {
  return text.split('\n').slice(0, 12).join('\n')
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}
