import type { Logger } from '../observe/logger.ts'
import { newLogger } from '../observe/logger.ts'
import { progressBars } from '../observe/progress-bars.ts'
import { progressLines } from '../observe/progress-lines.ts'
import type { Progress } from '../observe/progress.ts'
import { Redactor } from '../observe/redact.ts'
import { Screen } from '../observe/screen.ts'
import type { Clock } from '../runtime/clock.ts'
import type { CommonValues } from './common-sections.ts'
import type { Out, World } from './world.ts'

export interface Outputs {
  readonly logger: Logger
  readonly redactor: Redactor
  /** Shown until disposed, which must happen before the result is printed. */
  readonly openProgress: () => Progress & Disposable
}

export interface OutputNeeds {
  readonly values: CommonValues
  readonly clock: Clock
  readonly secrets: readonly string[]
  /** A worker's log is its output; anything else keeps standard output for the result. */
  readonly isWorker: boolean
}

/** Where the log and the progress of a command go, and how they look there. */
export function openOutputs(world: World, { values: { log, output }, clock, secrets, isWorker }: OutputNeeds): Outputs {
  const { stdout, stderr } = world
  const redactor = new Redactor()
  for (const secret of secrets) redactor.hide(secret)
  const screen = new Screen(text => stderr.write(text))
  const logOut = isWorker && output.output !== 'json' ? stdout : stderr
  const logger = newLogger({
    level: log.logLevel,
    format: log.logFormat ?? (logOut.isTerminal ? 'text' : 'json'),
    isColored: isColored(logOut, world),
    clock,
    redactor,
    write: line => screen.above(() => logOut.write(line)),
  })
  return {
    logger,
    redactor,
    openProgress() {
      if (isWorker || !stderr.isTerminal) return progressLines(clock, logger)
      return progressBars({
        clock,
        screen,
        print: line => screen.above(() => stderr.write(line)),
        columns: () => stderr.columns(),
        isColored: isColored(stderr, world),
      })
    },
  }
}

/** https://no-color.org */
function isColored(out: Out, { env }: World): boolean {
  return out.isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}
