import assert from 'node:assert/strict'
import { newLogger } from '../../src/observe/logger.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { Redactor } from '../../src/observe/redact.ts'
import { ManualClock } from './manual-clock.ts'

/** One event of a command's log, with its facts. */
export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [fact: string]: unknown
}

/** The JSON log lines in what a command has printed; a last line that a SIGKILL cut is left out. */
export function logLines(output: string): LogLine[] {
  return output
    .split('\n')
    .filter(line => line.startsWith('{"level"') && line.endsWith('}'))
    .map(line => JSON.parse(line) as LogLine)
}

/** The events of one kind. */
export function logged(output: string, message: string): LogLine[] {
  return logLines(output).filter(line => line.message === message)
}

/** Throws at an error in the log: somebody would be called at night. */
export function assertNoAlarm(output: string): void {
  const alarms = logLines(output).filter(({ level }) => level === 'error')
  assert.deepEqual(alarms, [])
}

/** A logger for what runs in the process of the test, and its events so far. */
export function logToRead(): { readonly log: Logger; readonly lines: () => LogLine[] } {
  let written = ''
  const write = (line: string) => void (written += line)
  const rest = { isColored: false, clock: new ManualClock(), redactor: new Redactor() }
  return { log: newLogger({ ...rest, level: 'debug', format: 'json', write }), lines: () => logLines(written) }
}
