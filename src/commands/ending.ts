import { plainNumbers } from '../observe/json-line.ts'
import type { Redactor } from '../observe/redact.ts'
import { visible } from '../observe/visible.ts'
import type { ErrorCode } from '../runtime/error-codes.ts'
import { exitCodeOf } from '../runtime/error-codes.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { World } from './world.ts'

/** How a command ended that did not throw. */
export interface Outcome {
  /** ok: all done. partial: something was left out. failed: it is not as it should be. The details say what. */
  readonly result: 'ok' | 'partial' | 'failed'
  /** Decides the exit code of what is not ok; without it 3 for partial and 1 for failed. */
  readonly code?: ErrorCode
  /** Was asked to stop, and did before the work was done. */
  readonly isInterrupted?: boolean
  /** The properties of the JSON document. */
  readonly details: Readonly<Record<string, unknown>>
  /** The same for people; may be empty. */
  readonly text: string
}

export type StopSignal = 'SIGINT' | 'SIGTERM'

/** Exit codes by the custom of shells: 128 and the number of the signal. */
const interruptedExit = { SIGINT: 130, SIGTERM: 143 } as const

export interface EndingContext {
  readonly command: string | undefined
  readonly isJson: boolean
  readonly redactor: Redactor
  readonly world: Pick<World, 'stdout' | 'stderr' | 'version'>
}

/** Prints what a command did and answers with the exit code. `signal` is the one that interrupted it. */
export function reportOutcome(outcome: Outcome, signal: StopSignal | undefined, context: EndingContext): number {
  const { result, code, details, text } = outcome
  const { command, isJson, redactor, world } = context
  const interrupted = signal === undefined ? {} : { interrupted: signal }
  const said = isJson ? jsonDocument({ command, result, ...interrupted, ...details }, context) : text
  world.stdout.write(visible(redactor.clean(said)))
  if (signal !== undefined) return interruptedExit[signal]
  if (result === 'ok') return 0
  return result === 'partial' ? exitCodeOf(code ?? 'PARTIAL') : code === undefined ? 1 : exitCodeOf(code)
}

/**
 * Says what a command threw and answers with the exit code. What somebody can act on is one line: code, sentence, next step.
 * Anything else is a bug of ours and comes with its stack.
 */
export function reportError(error: unknown, context: EndingContext): number {
  const { command, isJson, redactor, world } = context
  const known = error instanceof MaxbrodError ? error : undefined
  const exit = known === undefined ? 1 : exitCodeOf(known.code)
  const said = known === undefined ? bugText(error, world.version) : `maxbrod: ${sentence(known)}\n`
  world.stderr.write(visible(redactor.clean(said)))
  if (isJson) {
    const { code = 'BUG', hint, facts = {} } = known ?? {}
    const message = error instanceof Error ? error.message : String(error)
    const document = { command, result: 'failed', error: { code, message, hint, facts, exit } }
    world.stdout.write(visible(redactor.clean(jsonDocument(document, context))))
  }
  return exit
}

/** The one document of `-o json`: indented for people at a terminal, one line for programs. */
function jsonDocument(document: object, { world }: EndingContext): string {
  return `${JSON.stringify(document, plainNumbers, world.stdout.isTerminal ? 2 : 0)}\n`
}

function sentence({ code, message, hint }: MaxbrodError): string {
  return `${code}: ${message}${hint === undefined ? '' : ` · ${hint}`}`
}

function bugText(error: unknown, version: string): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `maxbrod: this is a bug of maxbrod ${version}, please report it with these lines:\n${stack}\n`
}
