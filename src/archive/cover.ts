import type { Gap } from '../format/tile-header.ts'
import { originOf } from './check-chain.ts'
import { factsOfChain } from './file-facts.ts'
import type { FileFacts } from './file-facts.ts'
import { behindFiles } from './live.ts'
import type { LivePartition } from './live.ts'
import type { Loss } from './losses.ts'
import type { SurveyedChain } from './survey.ts'

/** What became of a range of offsets. */
export interface Segment {
  readonly kind: 'FOUND' | 'GAP' | 'UPLOADING' | 'LATE' | 'LOST'
  readonly from: number
  /** Undefined where a file of kafka-data-keep comes last: only its content tells. */
  readonly to: number | undefined
  /** Of all but FOUND, and of what is only in files that were made of others. */
  readonly reason: string | undefined
}

export type Status = 'OK' | 'WARNING' | 'FAILURE'

/** How far Kafka went in this partition, as restoration points say. */
export interface Ends {
  readonly logStart: number
  /** At the newest point. */
  readonly end: number
  /** At the newest point that is old enough for all of it to be there; undefined when there is none. */
  readonly dueEnd: number | undefined
  /** What nobody can bring any more, in the order of the offsets: each up to `to`, if no file has it. */
  readonly lost: readonly Loss[]
}

export interface Cover {
  readonly status: Status
  readonly segments: readonly Segment[]
}

/** What was in files, of which none is there. */
export interface Gone {
  readonly from: number
  readonly to: number
}

const ALL_GONE = 'a worker had committed them as stored, and none of the files of the partition is there'
const HEAD_GONE = 'the first files are gone'

/**
 * Lays the files of one partition beside each other, all of its histories in their order: an earlier one counts up to where
 * the next one begins. How far Kafka went, it says itself, if it is asked, or restoration points do. Pure.
 */
export function cover(
  chains: readonly SurveyedChain[],
  ends: Ends | undefined,
  live?: LivePartition,
  gone?: Gone,
): Cover {
  const segments: Segment[] = []
  let at = chains[0] === undefined ? (gone?.from ?? ends?.logStart ?? live?.logStart) : beginOf(chains[0])
  const add = (kind: Segment['kind'], to: number | undefined, reason?: string) => {
    const from = at ?? 0
    if (to !== undefined && to <= from) return
    const last = segments.at(-1)
    const isSame = last !== undefined && last.kind === kind && last.reason === reason
    if (isSame) segments.pop()
    segments.push({ kind, from: isSame ? last.from : from, to, reason })
    at = to ?? from
  }
  for (const [n, chain] of chains.entries()) {
    const next = chains[n + 1]
    const until = next === undefined ? Infinity : (originOf(next.files) ?? next.files[0]?.place.from ?? Infinity)
    for (const file of filesBelow(chain, until)) {
      addMissing(chain, file.from, () => at ?? 0, add)
      add('LOST', file.from, segments.length === 0 ? HEAD_GONE : 'no file has them')
      if (file.problem === undefined) addFile(file, until, add)
      else add('LOST', Math.min(file.to ?? file.from + 1, until), `${file.key}: ${file.problem}`)
    }
    if (until !== Infinity) add('LOST', until, 'no file has them')
  }
  if (gone !== undefined) add('LOST', gone.to, ALL_GONE)
  const end = at ?? 0
  const isOpen = segments.length > 0 && segments.at(-1)?.to === undefined
  const behind = live === undefined ? undefined : behindFiles(live)
  const lost = [...(ends?.lost ?? []), ...(behind === undefined ? [] : [behind.lost])]
  if (!isOpen) {
    for (const { to, reason } of lost) add('LOST', to, reason)
    if (behind === undefined) add('LATE', ends?.end ?? end, 'not in the backup yet')
    else {
      add('LATE', behind.late.to, behind.late.reason)
      add('UPLOADING', behind.uploading.to, behind.uploading.reason)
    }
  }
  const doubtful = new Set(lost.flatMap(({ reason, isDoubtful }) => (isDoubtful === true ? [reason] : [])))
  const isOverdue =
    live === undefined ? ends?.dueEnd !== undefined && end < ends.dueEnd : segments.some(({ kind }) => kind === 'LATE')
  return {
    status: statusOf(segments, doubtful.add(HEAD_GONE), isOverdue),
    segments,
  }
}

/** Where a history begins that prunes may have shortened. */
function beginOf({ files, begin = 0 }: SurveyedChain): number | undefined {
  const origin = originOf(files) ?? files[0]?.place.from
  return origin === undefined ? undefined : Math.max(origin, begin)
}

/** A file whose end nobody knows, and that is damaged, reaches to the next one. */
function filesBelow(chain: SurveyedChain, until: number): FileFacts[] {
  const facts = factsOfChain(chain)
  return facts
    .map((file, n) => (file.problem === undefined ? file : { ...file, to: file.to ?? facts[n + 1]?.from }))
    .filter(({ from }) => from < until)
}

/** What lies below `to` in a generation, as far as it follows on what is told already. */
function addMissing(
  { beside = [] }: SurveyedChain,
  to: number,
  end: () => number,
  add: (kind: Segment['kind'], to: number | undefined, reason?: string) => void,
): void {
  for (let at = -1; at < end() && end() < to;) {
    at = end()
    const next = beside.find(one => one.from <= at && one.to > at)
    if (next === undefined) return
    const what = next.isWhole ? 'all records' : 'the latest record of each key'
    add('FOUND', Math.min(next.to, to), `the originals are gone, and @${next.generation} has ${what}`)
  }
}

function addFile(
  { to, gaps }: FileFacts,
  until: number,
  add: (kind: Segment['kind'], to: number | undefined, reason?: string) => void,
): void {
  const below = (offset: number) => Math.min(offset, until)
  for (const gap of gaps) {
    add('FOUND', below(gap.from))
    add('GAP', below(gap.to), reasonOf(gap))
  }
  add('FOUND', to === undefined && until !== Infinity ? until : to === undefined ? undefined : below(to))
}

function reasonOf({ reason }: Gap): string {
  return reason === 'retention' ? 'Kafka no longer had them (retention)' : `Kafka had them damaged (${reason})`
}

function statusOf(segments: readonly Segment[], doubtful: ReadonlySet<string>, isOverdue: boolean): Status {
  if (segments.some(({ kind, reason }) => kind === 'LOST' && !doubtful.has(reason ?? ''))) return 'FAILURE'
  return isOverdue || segments.some(({ kind }) => kind === 'GAP' || kind === 'LOST') ? 'WARNING' : 'OK'
}
