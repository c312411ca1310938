import type { ErrorCode } from './error-codes.ts'

export interface ErrorDetails {
  /** One thing to do next: a command or a setting. */
  readonly hint?: string | undefined
  readonly cause?: unknown
  /** What it is about, for logs and JSON: topic, partition, offset, key, … */
  readonly [fact: string]: unknown
}

/** An ending that somebody can act on: a sentence, the facts, the next step. A bug is an `assert` and keeps its stack. */
export class MaxbrodError extends Error {
  override readonly name = 'MaxbrodError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, { hint, cause, ...facts }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
    this.facts = facts
  }
}

/** True when `error` is a MaxbrodError, with one of the codes if any are given. */
export function isMaxbrodError(error: unknown, ...codes: ErrorCode[]): error is MaxbrodError {
  return error instanceof MaxbrodError && (codes.length === 0 || codes.includes(error.code))
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The system error code (`ENOENT`, `EADDRINUSE`, …) of anything that was thrown. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
