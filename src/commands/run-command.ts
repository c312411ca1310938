import { parse } from '../config/parse.ts'
import type { Logger } from '../observe/logger.ts'
import { newLogger } from '../observe/logger.ts'
import { Metrics } from '../observe/metrics.ts'
import { progressBars } from '../observe/progress-bars.ts'
import { progressLines } from '../observe/progress-lines.ts'
import type { Progress } from '../observe/progress.ts'
import { Redactor } from '../observe/redact.ts'
import { Screen } from '../observe/screen.ts'
import type { Clock } from '../runtime/clock.ts'
import { isAborted } from '../runtime/aborted.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import type { Command } from './command.ts'
import type { CommonValues } from './common-sections.ts'
import { commonSections } from './common-sections.ts'
import type { EndingContext } from './ending.ts'
import { reportError, reportOutcome } from './ending.ts'
import { listenForFlush } from './flush-signal.ts'
import { stopOnSignals } from './stop-signals.ts'
import type { Out, World } from './world.ts'

/**
 * Reads the flags, makes everything a command gets, runs it, reports how it ended, and answers with the exit code.
 * Throws only what is wrong with the flags.
 */
export async function runCommand(command: Command, argv: readonly string[], world: World): Promise<number> {
  const { values, origins, warnings, secrets } = parse([...command.sections, ...commonSections], {
    argv,
    env: world.env,
    readFile: path => world.readFile(path),
  })
  const { log, output } = values as CommonValues
  const ports = await world.ports()
  const isJson = output.output === 'json'
  const isWorker = !command.endsByItself(values)
  const redactor = new Redactor()
  for (const secret of secrets) redactor.hide(secret)
  // A worker's log is its output; anything else keeps standard output for the result.
  const logOut = isWorker && !isJson ? world.stdout : world.stderr
  using screen = new Screen(text => world.stderr.write(text))
  const logger = newLogger({
    level: log.logLevel,
    format: log.logFormat ?? (logOut.isTerminal ? 'text' : 'json'),
    isColored: isColored(logOut, world),
    clock: ports.clock,
    redactor,
    write: line => screen.above(() => logOut.write(line)),
  })
  for (const warning of warnings) logger.warn(warning)

  using signals = stopOnSignals(world, logger)
  using flushSignals = listenForFlush(world, logger)
  const { stop } = signals
  const run = async () => {
    using progress = isWorker ? progressLines(ports.clock, logger) : progressOn(world, ports.clock, screen, logger)
    const { onFlushSignal } = flushSignals
    const metrics = new Metrics()
    const { version } = world
    return await command.run(values, {
      ...ports,
      origins,
      stop,
      logger,
      redactor,
      metrics,
      progress,
      version,
      onFlushSignal,
    })
  }
  const ending: EndingContext = { command: command.name, isJson, redactor, world }
  try {
    const outcome = await run()
    const isInterrupted = outcome.isInterrupted === true && !isWorker
    return reportOutcome(outcome, isInterrupted ? signals.caught() : undefined, ending)
  } catch (error) {
    const signal = signals.caught()
    if (signal !== undefined && isConsequence(error, stop)) {
      logger.warn({ err: error }, 'stopped before the work was done')
      return reportOutcome({ result: 'partial', details: {}, text: '' }, signal, ending)
    }
    if (isWorker) logger.error({ err: error }, 'ended by an error')
    return reportError(error, ending)
  }
}

/** Bars where somebody watches, lines in a log. */
function progressOn({ stderr, env }: World, clock: Clock, screen: Screen, logger: Logger): Progress & Disposable {
  if (!stderr.isTerminal) return progressLines(clock, logger)
  return progressBars({
    clock,
    screen,
    print: line => screen.above(() => stderr.write(line)),
    columns: () => stderr.columns(),
    isColored: isColored(stderr, { env }),
  })
}

/** https://no-color.org */
function isColored(out: Out, { env }: Pick<World, 'env'>): boolean {
  return out.isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** True for what is thrown because somebody asked to stop, not for an error that happened to come at the same time. */
function isConsequence(error: unknown, { aborted }: Stop): boolean {
  return isAborted(error) || (aborted.aborted && !(error instanceof MaxbrodError))
}
