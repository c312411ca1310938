import { drillOptions } from '../archive/drill-options.ts'
import { comparedBy, drillText } from '../archive/drill-report.ts'
import type { DrillReport } from '../archive/drill-report.ts'
import { keyStamp } from '../format/key-stamp.ts'
import { kafkaOptions } from '../kafka/options.ts'
import type { Logger } from '../observe/logger.ts'
import { plainNumbers } from '../observe/json-line.ts'
import { isAborted } from '../runtime/aborted.ts'
import type { Disk } from '../runtime/disk.ts'
import type { ErrorCode } from '../runtime/error-codes.ts'
import { exitCodeOf } from '../runtime/error-codes.ts'
import { MaxbrodError, isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { stopWithin } from '../runtime/stop.ts'
import type { Stop } from '../runtime/stop.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import { claimScratch } from './drill-scratch.ts'
import type { DrillScratch } from './drill-scratch.ts'
import { runDrill } from './drill-run.ts'
import type { DrillDeps } from './drill-plan.ts'
import type { Drilled } from './drill-run.ts'
import type { Outcome } from './ending.ts'

export const drill = command({
  name: 'drill',
  summary: 'restore into scratch topics, compare every record, remove them',
  sections: [drillOptions, kafkaOptions, storageOptions, openingOptions],
  examples: [
    {
      does: 'every night a twentieth, with a report',
      line: '--sample 5% --report ./drills --storage s3://bucket/shop',
    },
    { does: 'some topics, all of them', line: "--topics 'orders.*' --storage s3://bucket/shop" },
    {
      does: 'can the last restoration point be restored?',
      line: '--at 2026-11-21T05:30:00Z --storage s3://bucket/shop',
    },
  ],
  endsByItself: () => true,
  async run({ drill: options, kafka: kafkaValues, storage, opening }, context) {
    const { clock, random, disk, metrics, vitals, logger: log, stop } = context
    if (options.at !== undefined && options.sample < 1)
      throw new MaxbrodError('USAGE', '--at says where each partition ends, and --sample something else', {
        hint: 'leave out one of them',
      })
    using archive = await openArchive(storage, opening, context, options.headerIndex)
    await using kafka = await context.openKafka(kafkaValues, context)
    const deps: DrillDeps = { ...archive, kafka, random, metrics, vitals, log }
    const stamp = keyStamp(clock.now())
    const keep = (report: object, text: string) => keepReport({ disk, log }, options.report, stamp, report, text)
    try {
      const scratch = await claimScratch(deps, options.sessionTimeout, stop)
      const run = (inner: Stop) => runDrill({ ...deps, kafka: scratch.kafka }, options, scratch, inner)
      const { drilled, left, reason } = await drillAndRemove(deps, scratch, stop, run)
      if (drilled === undefined) {
        const details = { drill: scratch.name, left, leftReason: reason }
        return { result: 'partial', details, text: 'interrupted before all was compared\n', isInterrupted: true }
      }
      const report: DrillReport = { ...drilled.report, left, leftReason: reason }
      const outcome = outcomeOf(report, drilled.code)
      const isKept = await keep({ result: outcome.result, exit: exitOf(outcome), ...report }, outcome.text)
      return isKept || outcome.result !== 'ok' ? outcome : { ...outcome, result: 'partial' }
    } catch (error) {
      if (isAborted(error) || !(error instanceof MaxbrodError)) throw error
      const { code, message, hint, facts } = error
      const exit = exitCodeOf(code)
      await keep({ result: 'failed', exit, error: { code, message, hint, facts, exit } }, `${code}: ${message}\n`)
      throw error
    }
  },
})

/** Whatever becomes of the drill, what it has made goes. */
async function drillAndRemove(
  { log }: DrillDeps,
  scratch: DrillScratch,
  stop: Stop,
  run: (stop: Stop) => Promise<Drilled | undefined>,
): Promise<{ drilled: Drilled | undefined; left: readonly string[]; reason: string | undefined }> {
  using inner = stopWithin(stop)
  const work = run(inner)
  try {
    const drilled = await Promise.race([work, scratch.lost.then(() => undefined)])
    return { drilled, ...(await scratch.remove()) }
  } catch (error) {
    inner.abort('the drill failed')
    await work.catch(() => undefined) // nothing may be written any more when its topics go
    const { left } = await scratch.remove()
    if (left.length > 0) log.error({ topics: left }, 'the next drill removes what this one has left')
    throw error
  } finally {
    await scratch.leave()
  }
}

function outcomeOf(report: DrillReport, code: ErrorCode | undefined): Outcome {
  const details = { ...report }
  const text = drillText(report)
  if (report.differences > 0) return { result: 'failed', code: 'DRILL_DIFFERS', details, text }
  if (code !== undefined) return { result: 'partial', code, details, text }
  if (report.incomplete.length > 0) return { result: 'failed', code: 'ARCHIVE_UNSOUND', details, text }
  const isProof = report.left.length === 0 && comparedBy(report) > 0
  return { result: isProof ? 'ok' : 'partial', details, text }
}

function exitOf({ result, code = 'PARTIAL' }: Outcome): number {
  return result === 'ok' ? 0 : exitCodeOf(code)
}

/** False when it could not be written, which must not hide what was found. */
async function keepReport(
  { disk, log }: { readonly disk: Disk; readonly log: Logger },
  folder: string | undefined,
  stamp: string,
  report: object,
  text: string,
): Promise<boolean> {
  if (folder === undefined) return true
  try {
    await disk.makeFolder(folder)
    await disk.replace(`${folder}/drill-${stamp}.json`, `${JSON.stringify(report, plainNumbers, 2)}\n`)
    await disk.replace(`${folder}/drill-${stamp}.txt`, text)
    return true
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    log.error({ reason: messageOf(error) }, 'cannot write the report')
    return false
  }
}
