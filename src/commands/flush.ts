import type { Flushed } from '../backup/flush.ts'
import { duration, port } from '../config/kinds-of-number.ts'
import { flag } from '../config/kinds-of-text.ts'
import { section } from '../config/section.ts'
import { askWorker } from '../observe/ask-worker.ts'
import { table } from '../observe/table.ts'
import { Aborted } from '../runtime/aborted.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { FLUSH_PATH } from './flush-switch.ts'
import { REPORT_PATH } from './kept-report.ts'
import type { KeptReport } from './kept-report.ts'

const flushOptions = section('flush', {
  flushPort: port({ default: '8082', doc: 'The --flush-port of the worker.' }),
  wait: flag({ default: 'true', doc: 'Wait until everything is uploaded and committed. --no-wait only asks for it.' }),
  report: flag({
    doc: 'Then have the worker put a report of the whole backup into the bucket, below @report/: what maxbrod report shows. It reads the header of every file.',
  }),
  timeout: duration({ default: '5m', doc: 'How long to wait. The worker goes on afterwards.' }),
})

/** Others than a worker may answer with a whole page. */
const SHOWN_CHARS = 200

export const flush = command({
  name: 'flush',
  summary: 'ask the worker on this host to upload everything it has, now',
  sections: [flushOptions],
  examples: [
    { does: 'before the node is taken down', line: '' },
    { does: 'a worker that listens elsewhere, for one minute at most', line: '--flush-port 9082 --timeout 1m' },
    { does: 'and put a page about the backup beside it', line: '--report' },
  ],
  endsByItself: () => true,
  async run({ flush: { flushPort, wait, report, timeout } }, { clock, stop }) {
    if (report && !wait)
      throw new MaxbrodError('USAGE', '--report tells of what was uploaded, and --no-wait does not wait for that')
    const patience = new AbortController()
    const signal = AbortSignal.any([patience.signal, stop.draining])
    const flushing = askWorker(flushPort, `${FLUSH_PATH}?wait=${wait}`, signal)
    const asking = flushing.then(async answer => {
      const flushed = outcomeOf(answer, wait)
      return report ? withReport(flushed, await askWorker(flushPort, REPORT_PATH, signal)) : flushed
    })
    const over = new AbortController()
    void clock.sleep(timeout, over.signal).then(() => patience.abort(new Aborted('timeout')))
    try {
      return await asking
    } catch (error) {
      if (!patience.signal.aborted || stop.draining.aborted) throw error
      const hint = 'the worker goes on uploading; see its log, or wait longer with --timeout'
      throw new MaxbrodError('PARTIAL', `not everything is uploaded after ${timeout / 1_000} s`, { hint })
    } finally {
      over.abort()
    }
  },
})

function outcomeOf({ status, body }: { status: number; body: string }, wait: boolean): Outcome {
  const flushed = status === 200 && wait ? flushedIn(body) : undefined
  if (flushed !== undefined) return flushedOutcome(flushed)
  if (status === 202 && !wait) return asked
  const hint = status === 503 ? 'try again in a moment' : 'is it really the --flush-port of a maxbrod backup?'
  throw new MaxbrodError('WORKER_UNREACHABLE', `the worker answered ${status}: ${body.trim().slice(0, SHOWN_CHARS)}`, {
    status,
    hint,
  })
}

/** What a worker says; undefined when somebody else has answered. */
function flushedIn(body: string): Flushed | undefined {
  try {
    const { files, left, seconds } = JSON.parse(body) as Partial<Flushed>
    if (Array.isArray(files) && Array.isArray(left) && seconds !== undefined) return { files, left, seconds }
  } catch {
    // not JSON
  }
  return undefined
}

/** What was uploaded is durable, whatever became of the report. */
function withReport(flushed: Outcome, { status, body }: { status: number; body: string }): Outcome {
  if (status === 200) {
    const report = JSON.parse(body) as KeptReport
    const line = `${report.status}: ${report.partitions} partitions are told in ${report.key}\n`
    return { ...flushed, details: { ...flushed.details, report }, text: flushed.text + line }
  }
  const reason =
    status === 409
      ? (JSON.parse(body) as { code: string; message: string; hint?: string })
      : { code: 'WORKER_UNREACHABLE', message: `the worker answered ${status}: ${body.trim()}` }
  const hint = reason.hint === undefined ? '' : ` · ${reason.hint}`
  const line = `no report was made: ${reason.code}: ${reason.message}${hint}\n`
  return { result: 'partial', details: { ...flushed.details, noReport: reason }, text: flushed.text + line }
}

const asked: Outcome = { result: 'ok', details: { isDone: false }, text: 'asked for; see the log of the worker\n' }

function flushedOutcome({ files, left, seconds }: Flushed): Outcome {
  const rows = files.map(({ topic, partition, key, from, to, records, bytes }) => [
    topic,
    partition,
    records,
    bytes,
    `${from} … ${to - 1}`,
    key,
  ])
  const text = [
    rows.length === 0 ? '' : table(['topic', 'partition', 'records', 'bytes', 'offsets', 'key'], rows),
    `${files.length} files uploaded in ${seconds.toFixed(1)} s${left.length === 0 ? ': all that was read is durable' : ''}\n`,
    ...left.map(({ topic, partition, reason }) => `${topic}-${partition} is not: ${reason}\n`),
  ].join('')
  return { result: left.length === 0 ? 'ok' : 'partial', details: { files, left, seconds }, text }
}
