import type { Segment, Status } from '../archive/cover.ts'
import type { Page, PartitionPart, TopicPart } from '../archive/report/model.ts'
import { count, seconds, things } from '../archive/report/words.ts'
import { saySpoolOnly } from '../backup/rescue/spool-only.ts'
import { formatBytes } from '../config/units.ts'
import type { PartitionView, WorkerView } from '../backup/view.ts'
import { partitionName } from '../runtime/topic-partition.ts'

export interface ShownBy {
  readonly nowMs: number
  /** Of the store. */
  readonly url: string
  readonly writer: string
}

/** What a backup worker shows of itself: its own partitions, by what it knows without asking anybody. Pure. */
export function pageOfWorker(view: WorkerView, { nowMs, url, writer }: ShownBy): Page {
  const { group, partitions, done, memoryBytes, isDiskFull } = view
  const problems = problemsOf(view)
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, own]) => topicOf(name, own, problems))
  const buffered = partitions.reduce((sum, one) => sum + one.readTo - one.durableTo, 0)
  const unread = partitions.reduce((sum, one) => sum + unreadOf(one), 0)
  const oldestMs = Math.max(0, ...partitions.map(({ bufferedAgeMs }) => bufferedAgeMs))
  const inHand =
    buffered === 0
      ? 'all that was read is in files'
      : `${count(buffered)} offsets are read and not in files, the oldest for ${seconds(Math.round(oldestMs / 1_000))}`
  return {
    title: `Backup of group ${group} into ${url}: one worker`,
    status:
      done.stopped.length > 0
        ? 'FAILURE'
        : isDiskFull || problems.size + done.notUploaded.length > 0
          ? 'WARNING'
          : 'OK',
    headline: `${things(partitions.length, 'partition')} of this worker · ${inHand} · ${unread === 0 ? 'nothing more to read' : `${count(unread)} offsets to read`}`,
    facts: [
      { name: 'partitions', value: count(partitions.length) },
      { name: 'records stored', value: count(done.records) },
      { name: 'files stored', value: count(done.files) },
      { name: 'bytes stored', value: formatBytes(done.bytes) },
      { name: 'buffered', value: formatBytes(partitions.reduce((sum, one) => sum + one.bufferedBytes, 0)) },
      { name: 'memory for records', value: formatBytes(memoryBytes) },
    ],
    notes: [
      ...(isDiskFull ? ['The disk of the working folder is full: nothing is read until uploads have made room.'] : []),
      ...done.stopped.map(({ code, message }) => `${message} (${code})`),
      ...done.notUploaded.map(saySpoolOnly),
      ...done.cuts.map(
        one => `${partitionName(one)}: Kafka lost records from offset ${one.at} on; the backup keeps them`,
      ),
      'Other workers of the group have pages of their own; maxbrod report shows the backup as a whole.',
    ],
    coverage: {
      title: 'Topics',
      legend: [
        { kind: 'FOUND', says: 'FOUND: in files' },
        { kind: 'GAP', says: 'GAP: Kafka had lost them: declared by this worker' },
        { kind: 'UPLOADING', says: 'UPLOADING: read, and not in files yet' },
        { kind: 'LATE', says: 'LATE: in Kafka, not read yet' },
      ],
      columns: ['in files to', 'read to', 'end in Kafka', 'buffered', 'oldest'],
      topics,
      more: 'maxbrod status',
    },
    madeAtMs: nowMs,
    writer,
  }
}

interface Problem {
  readonly status: Status
  readonly gaps: Segment[]
}

/** What is wrong, by the name of the partition. */
function problemsOf({ done }: WorkerView): Map<string, Problem> {
  const problems = new Map<string, Problem>()
  for (const one of done.gaps) {
    const name = partitionName(one)
    const gaps = problems.get(name)?.gaps ?? []
    const reason =
      one.reason === 'retention' ? 'Kafka no longer had them (retention)' : `Kafka had them damaged (${one.reason})`
    problems.set(name, { status: 'WARNING', gaps: [...gaps, { kind: 'GAP', from: one.from, to: one.to, reason }] })
  }
  for (const one of done.cuts)
    problems.set(partitionName(one), { status: 'WARNING', gaps: problems.get(partitionName(one))?.gaps ?? [] })
  for (const one of done.stopped)
    problems.set(partitionName(one), { status: 'FAILURE', gaps: problems.get(partitionName(one))?.gaps ?? [] })
  return problems
}

function topicOf(name: string, views: readonly PartitionView[], problems: ReadonlyMap<string, Problem>): TopicPart {
  const partitions = views.map(view => partitionOf(view, problems.get(partitionName(view))))
  const statuses = partitions.map(({ status }) => status)
  const buffered = views.reduce((sum, one) => sum + one.readTo - one.durableTo, 0)
  const unread = views.reduce((sum, one) => sum + unreadOf(one), 0)
  return {
    name,
    status: statuses.includes('FAILURE') ? 'FAILURE' : statuses.includes('WARNING') ? 'WARNING' : 'OK',
    says: `${things(views.length, 'partition')}, ${buffered === 0 ? 'all that was read is in files' : `${count(buffered)} offsets in hand`}${unread === 0 ? '' : `, ${count(unread)} to read`}`,
    partitions,
    ranges: partitions.flatMap(({ partition, segments }) =>
      segments
        .filter(({ kind }) => kind === 'GAP')
        .map(({ from, to = from, reason }) => `partition ${partition}: GAP offsets ${from} to ${to - 1}: ${reason}`),
    ),
  }
}

function partitionOf(view: PartitionView, problem: Problem | undefined): PartitionPart {
  const { partition, durableTo, readTo, end, bufferedBytes, bufferedAgeMs } = view
  const isBuffered = readTo > durableTo
  return {
    partition,
    status: problem?.status ?? 'OK',
    segments: segmentsOf(view, problem?.gaps ?? []),
    cells: [
      String(durableTo),
      String(readTo),
      end === undefined ? '?' : String(end),
      isBuffered ? formatBytes(bufferedBytes) : '',
      isBuffered ? seconds(Math.round(bufferedAgeMs / 1_000)) : '',
    ],
  }
}

function segmentsOf({ origin, durableTo, readTo, end }: PartitionView, gaps: readonly Segment[]): Segment[] {
  const segments: Segment[] = []
  let at = origin
  const add = (kind: Segment['kind'], to: number, reason?: string) => {
    if (to > at) segments.push({ kind, from: at, to, reason })
    at = Math.max(at, to)
  }
  for (const { from, to = from, reason } of gaps) {
    add('FOUND', Math.min(from, durableTo))
    add('GAP', Math.min(to, durableTo), reason)
  }
  add('FOUND', durableTo)
  add('UPLOADING', readTo)
  add('LATE', end ?? readTo)
  return segments
}

function unreadOf({ readTo, end }: PartitionView): number {
  return Math.max(0, (end ?? readTo) - readTo)
}
