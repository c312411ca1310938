import { markup } from './html.ts'
import type { Html } from './html.ts'
import type { CoveragePart, PartitionPart, TopicPart } from './model.ts'
import { stripSvg, sumSvg } from './strip-svg.ts'

/** Ranges that are printed with their reasons, of each topic. */
const RANGES = 20

/** A topic as it can be shown, the fullest form first. */
export interface TopicForms {
  readonly topic: TopicPart
  readonly forms: readonly (() => Html)[]
}

/** One partition a line; those that are all right together; or only what is said of the topic as a whole. Pure. */
export function topicForms(topic: TopicPart, { columns, more }: Pick<CoveragePart, 'columns' | 'more'>): TopicForms {
  const { name, status, says, partitions, ranges } = topic
  const strip = sumSvg(partitions.map(({ segments }) => segments))
  const summary = markup`<summary>${name} ${statusWord(status)}${strip}<span>${says}</span></summary>`
  const open = status === 'OK' ? '' : markup` open`
  const fold = (content: Html) => markup`<details${open}>${summary}${content}</details>\n`
  const head = markup`<thead><tr><th>partition<th>coverage${columns.map(column => markup`<th>${column}`)}<tbody>`
  const filled = (rows: readonly Html[]) =>
    fold(markup`<div tabindex=0><table><caption>Partitions of ${name}${head}${rows}</table></div>${rangeList(ranges)}`)
  return {
    topic,
    forms: [
      () => filled(partitions.map(partitionRow)),
      () => filled(runsOf(partitions).map(run => runRow(run, columns.length))),
      () => fold(markup`<p>The page is full: <code>${more}</code> tells its partitions.</p>`),
    ],
  }
}

function statusWord(status: TopicPart['status']): Html {
  return markup`<b class=${status}>${status}</b>`
}

/** Header cells say by their place whether they are of a row or of a column, and tags that end by themselves are left out: bytes count. */
function partitionRow({ partition, status, segments, cells }: PartitionPart): Html {
  const filled = cells.slice(0, cells.findLastIndex(cell => cell !== '') + 1)
  const word = status === 'OK' ? status : statusWord(status)
  const cell = segments.length === 0 ? markup`<td class=none>` : markup`<td>`
  return markup`<tr><th>${partition}${cell}${stripSvg(segments)}${word}${filled.map(one => markup`<td>${one}`)}`
}

/** Neighbours that are all right, and have nothing to show, together. */
function runsOf(partitions: readonly PartitionPart[]): PartitionPart[][] {
  const runs: PartitionPart[][] = []
  const isPlain = ({ status, segments }: PartitionPart) =>
    status === 'OK' &&
    segments.length > 0 &&
    segments.every(({ kind, reason }) => kind === 'FOUND' && reason === undefined)
  for (const one of partitions) {
    const run = runs.at(-1)
    const before = run?.at(-1)
    const isNext = before !== undefined && before.partition + 1 === one.partition && isPlain(before) && isPlain(one)
    if (run !== undefined && isNext) run.push(one)
    else runs.push([one])
  }
  return runs
}

function runRow(run: readonly PartitionPart[], columns: number): Html {
  const [first, last] = [run[0], run.at(-1)]
  if (first === undefined || last === undefined) return markup``
  if (run.length === 1) return partitionRow(first)
  return markup`<tr><th>${first.partition} to ${last.partition}<td>OK<td colspan=${columns}>all of ${run.length} partitions`
}

function rangeList(ranges: readonly string[]): Html {
  if (ranges.length === 0) return markup``
  const more = ranges.length - RANGES
  const items = ranges.slice(0, RANGES).map(one => markup`<li>${cut(one)}`)
  return markup`<ul>${items}${more > 0 ? markup`<li>and ${more} more ranges` : ''}</ul>`
}

/** Reasons can be long, and are of others. */
export function cut(text: string, length = 400): string {
  return text.length <= length ? text : `${text.slice(0, length)} …`
}
