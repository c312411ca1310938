import { proveTiling } from '../catalog/tiling.ts'
import type { Hole } from '../catalog/tiling.ts'
import { partitionFolder } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import type { FileFacts } from './file-facts.ts'
import { factsOfChain } from './file-facts.ts'
import type { Finding } from './findings.ts'
import type { SurveyedChain, SurveyedFile, SurveyedTopic } from './survey.ts'

/** Whose files they must be, as far as anything says. */
export interface Owner {
  readonly clusterId: string | undefined
  readonly topicId: string | undefined
}

/**
 * What names and headers of a topic's files show: that they tile the history of each partition, that they belong together,
 * and that histories that follow each other meet. Pure.
 */
export function checkTopic({ chains }: SurveyedTopic, owner: Owner): Finding[] {
  const histories = [...Map.groupBy(chains, ({ place }) => place.partition).values()]
  return histories.flatMap(history => history.flatMap((chain, n) => checkChain(chain, owner, history[n + 1])))
}

function checkChain(chain: SurveyedChain, owner: Owner, next: SurveyedChain | undefined): Finding[] {
  const { place, files } = chain
  const facts = factsOfChain(chain)
  // The problem of a file is told with the file; for the tiling it reaches to the next one, so that it is told once.
  const spans = facts.map(({ key, from, to }, n) => ({ key, from, to: to ?? facts[n + 1]?.from ?? from + 1 }))
  const { holes, overlaps } = proveTiling(spans)
  const folder = partitionFolder(place)
  return [
    ...facts.flatMap(file => damaged(file, place)),
    ...files.flatMap(file => foreign(file, files, owner)),
    ...holes
      .flatMap(hole => uncovered(hole, chain))
      .map(hole => finding('hole', place, hole, `${folder} has no file for offsets ${hole.from} to ${hole.to - 1}`)),
    ...overlaps.map(({ first, second, from, to }) =>
      finding('overlap', place, { from, to }, `${first} and ${second} both cover offsets ${from} to ${to - 1}`, second),
    ),
    ...unmet(chain, spans.at(-1)?.to ?? 0, next),
  ]
}

function damaged({ key, from, to, problem }: FileFacts, place: PartitionPlace): Finding[] {
  return problem === undefined ? [] : [finding('damaged', place, { from, to }, `${key}: ${problem}`, key)]
}

function foreign(file: SurveyedFile, files: readonly SurveyedFile[], owner: Owner): Finding[] {
  if (file.header?.kind !== 'maxbrod') return []
  const { tile } = file.header
  const origin = originOf(files)
  const reasons = [
    owner.clusterId !== undefined && tile.clusterId !== owner.clusterId
      ? `is from cluster ${tile.clusterId}, not ${owner.clusterId}`
      : '',
    owner.topicId !== undefined && tile.topicId !== undefined && tile.topicId !== owner.topicId
      ? `is from topic id ${tile.topicId}, not ${owner.topicId}`
      : '',
    tile.origin === origin ? '' : `says that its history begins at offset ${tile.origin}, and the others say ${origin}`,
  ].filter(reason => reason !== '')
  const covers = { from: tile.coversFrom, to: tile.coversTo }
  return reasons.map(reason => finding('foreign', file.place, covers, `${file.key} ${reason}`, file.key))
}

/** What of a hole no generation covers. */
function uncovered(hole: Hole, { beside = [] }: SurveyedChain): Hole[] {
  return beside.reduce<Hole[]>(
    (left, { from, to }) =>
      left.flatMap(one => {
        const parts = [
          { from: one.from, to: Math.min(one.to, from) },
          { from: Math.max(one.from, to), to: one.to },
        ]
        return from >= one.to || to <= one.from ? [one] : parts.filter(part => part.from < part.to)
      }),
    [hole],
  )
}

/** What most of the files say. */
export function originOf(files: readonly SurveyedFile[]): number | undefined {
  const said = files.flatMap(({ header }) => (header?.kind === 'maxbrod' ? [header.tile.origin] : []))
  const counts = Map.groupBy(said, origin => origin)
  return [...counts].reduce<readonly [number, readonly number[]] | undefined>(
    (most, one) => (most === undefined || one[1].length > most[1].length ? one : most),
    undefined,
  )?.[0]
}

/** After an unclean leader election the next history begins where the log was cut: this one must reach up to there. */
function unmet({ place }: SurveyedChain, end: number, next: SurveyedChain | undefined): Finding[] {
  const from = next === undefined ? undefined : (originOf(next.files) ?? next.files[0]?.place.from)
  if (from === undefined || from <= end) return []
  const says = `${partitionFolder(place)} has no file for offsets ${end} to ${from - 1}, where ${next === undefined ? '' : partitionFolder(next.place)} goes on`
  return [finding('hole', place, { from: end, to: from }, says)]
}

/** The first offsets of a chain that no file covers any more. */
export function missingHead(chain: SurveyedChain): Finding | undefined {
  const { place, files, begin = 0 } = chain
  const origin = originOf(files)
  const from = files[0]?.place.from
  if (origin === undefined || from === undefined || Math.max(origin, begin) >= from) return undefined
  const [lost] = uncovered({ from: Math.max(origin, begin), to: from }, chain)
  if (lost === undefined) return undefined
  const says =
    begin > origin
      ? `${partitionFolder(place)} was pruned up to offset ${begin - 1}, and its files up to ${from - 1} are gone, too`
      : `${partitionFolder(place)} was backed up from offset ${origin} on, and its files up to ${from - 1} are gone`
  return finding('head', place, { from: Math.max(origin, begin), to: from }, says)
}

function finding(
  kind: Finding['kind'],
  { topic, partition }: PartitionPlace,
  { from, to }: { readonly from: number; readonly to: number | undefined },
  says: string,
  key?: string,
): Finding {
  return { kind, topic, partition, key, from, to, says }
}
