import { pino } from 'pino'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { logLine } from './log-line.ts'
import type { Redactor } from './redact.ts'

/**
 * Events with facts: `log.info({ topic, partition, bytes }, 'uploaded')`. The same fact has the same name everywhere.
 * info: a state changed. debug: work. warn: somebody should look at this some day. error: now. An error is logged once, as
 * `{ err: error }`, by who handles it.
 */
export interface Logger {
  debug: Log
  info: Log
  warn: Log
  error: Log
  /** A logger whose events all carry these facts; from another level on, if one is given. */
  child(facts: LogFacts, options?: { readonly level?: LoggerOptions['level'] }): Logger
}

export interface Log {
  (facts: LogFacts, message: string): void
  (message: string): void
}

export type LogFacts = Readonly<Record<string, unknown>>

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** text: a line that people read; json: an object per line. */
  readonly format: 'text' | 'json'
  readonly isColored: boolean
  readonly clock: Clock
  readonly redactor: Redactor
  /** Takes each line, with its line end, and must have handed it to the system when it returns: nothing is lost at exit. */
  readonly write: (line: string) => void
}

export function newLogger({ level, format, isColored, clock, redactor, write }: LoggerOptions): Logger {
  const print = (line: string) =>
    write(format === 'json' ? stillJson(redactor.clean(line)) : redactor.clean(logLine(line, { isColored })))
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: describeError },
    },
    { write: print },
  )
}

/** For tests of code that logs: says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

/** A secret of digits only may have stood in a number, where its replacement is no JSON any more. */
function stillJson(line: string): string {
  try {
    JSON.parse(line)
    return line
  } catch {
    return `${JSON.stringify({ level: 'warn', message: line.trimEnd() })}\n`
  }
}

/** What somebody can act on needs no stack; a bug is nothing without. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { message, cause } = error
  const tail = cause === undefined ? {} : { cause: describeError(cause) }
  if (!(error instanceof MaxbrodError)) return { message, stack: error.stack, ...tail }
  return { code: error.code, message, hint: error.hint, ...error.facts, ...tail }
}
