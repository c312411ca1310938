import type { Example } from '../config/help.ts'
import type { Section, SectionOrigins, SectionValues } from '../config/section.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Progress } from '../observe/progress.ts'
import type { Redactor } from '../observe/redact.ts'
import type { Vitals } from '../observe/vitals.ts'
import type { Stop } from '../runtime/stop.ts'
import type { Outcome } from './ending.ts'
import type { Ports } from './ports.ts'

/**
 * One command of maxbrod: its options and its composition root. `run` builds what the room needs from the context, runs it,
 * and says how it ended; it knows nothing of exit codes, signals and terminals.
 */
export interface Command<S extends readonly Section[] = readonly Section[]> {
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** The options, beside those that every command has. */
  readonly sections: S
  /** Three are enough. */
  readonly examples: readonly Example[]
  /**
   * True when the command is over when its work is done; false for a worker that goes on until it is stopped. Decides what a
   * signal means (a worker that was stopped did well) and where logs go (those of workers to standard output).
   */
  endsByItself(values: SectionValues<S>): boolean
  run(values: SectionValues<S>, context: Context<S>): Promise<Outcome>
}

/** Gives `run` the types of the sections. */
export function command<const S extends readonly Section[]>(definition: Command<S>): Command<S> {
  return definition
}

/** All that a command may use of the world outside. */
export interface Context<S extends readonly Section[] = readonly Section[]> extends Ports {
  /** Where each value comes from. */
  readonly origins: SectionOrigins<S>
  readonly stop: Stop
  readonly logger: Logger
  readonly redactor: Redactor
  readonly metrics: Metrics
  readonly vitals: Vitals
  readonly progress: Progress
  readonly version: string
  /** Text for standard output before the end: for what is too long to be kept. With -o json the one document is all. */
  readonly print: (text: string) => void
  /** True with -o json. */
  readonly isJson: boolean
  /** Calls `flush` for each SIGUSR1 until disposed. */
  onFlushSignal(flush: () => void): Disposable
}
