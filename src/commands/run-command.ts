import { parse } from '../config/parse.ts'
import { Metrics } from '../observe/metrics.ts'
import { visible } from '../observe/visible.ts'
import { Vitals } from '../observe/vitals.ts'
import { isAborted } from '../runtime/aborted.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import { storageCost } from '../storage/cost.ts'
import type { Command } from './command.ts'
import type { CommonValues } from './common-sections.ts'
import { commonSections } from './common-sections.ts'
import type { EndingContext, Outcome } from './ending.ts'
import { reportError, reportOutcome } from './ending.ts'
import { listenForFlush } from './flush-signal.ts'
import { openOutputs } from './outputs.ts'
import { stopOnSignals } from './stop-signals.ts'
import type { World } from './world.ts'

/**
 * Reads the flags, makes everything a command gets, runs it, reports how it ended, and answers with the exit code.
 * Throws only what is wrong with the flags.
 */
export async function runCommand(command: Command, argv: readonly string[], world: World): Promise<number> {
  const { env, version } = world
  const readFile = (path: string) => world.readFile(path)
  const { values, origins, warnings, secrets } = parse([...command.sections, ...commonSections], {
    argv,
    env,
    readFile,
  })
  const common = values as CommonValues
  const isWorker = !command.endsByItself(values)
  const ports = await world.ports()
  const { logger, redactor, openProgress } = openOutputs(world, {
    values: common,
    clock: ports.clock,
    secrets,
    isWorker,
  })
  for (const warning of warnings) logger.warn(warning)

  using signals = stopOnSignals(world, logger)
  using flushSignals = listenForFlush(world, logger)
  const { stop } = signals
  const { onFlushSignal } = flushSignals
  const isJson = common.output.output === 'json'
  const run = async (): Promise<Outcome> => {
    using progress = openProgress()
    using vitals = new Vitals(ports.clock)
    const metrics = new Metrics()
    const print = (text: string) => (isJson ? undefined : world.stdout.write(visible(redactor.clean(text))))
    const own = { origins, stop, logger, redactor, metrics, vitals, progress }
    const tools = { ...own, version, print, isJson, onFlushSignal }
    const outcome = await command.run(values, { ...ports, ...tools })
    return { ...outcome, details: { ...outcome.details, storage: await storageCost(metrics) } }
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

/** True for what is thrown because somebody asked to stop, not for an error that happened to come at the same time. */
function isConsequence(error: unknown, { aborted }: Stop): boolean {
  return isAborted(error) || (aborted.aborted && !(error instanceof MaxbrodError))
}
