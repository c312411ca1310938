import type { ArchiveDeps } from '../archive/deps.ts'
import { listPoints, listTopics } from '../archive/list.ts'
import type { ListedPoints } from '../archive/list.ts'
import { isDispensable } from '../archive/check-generation.ts'
import { lsOptions } from '../archive/options.ts'
import { generationsByTopic } from '../archive/list-generations.ts'
import { surveyArchive } from '../archive/survey.ts'
import { besideGenerations, surveyGenerations } from '../archive/survey-generations.ts'
import type { SurveyedGeneration } from '../archive/survey-generations.ts'
import { generationTable } from './generation-table.ts'
import type { Survey, TopicSelection } from '../archive/survey.ts'
import { isWithoutTopics } from '../catalog/backup-not-found.ts'
import { formatBytes } from '../config/units.ts'
import { ago, timeText } from '../observe/ago.ts'
import { table } from '../observe/table.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

export const ls = command({
  name: 'ls',
  summary: 'list what a backup holds: topics, or restoration points',
  sections: [lsOptions, storageOptions, openingOptions],
  examples: [
    { does: 'every topic, with its size and its newest file', line: '--storage s3://bucket/shop' },
    { does: 'some topics, for a script', line: "--topics 'orders.*' -o json --storage s3://bucket/shop" },
    { does: 'the moments that a restore can go back to', line: '--points --storage s3://bucket/shop' },
  ],
  endsByItself: () => true,
  async run({ ls: options, storage, opening }, context) {
    using deps = await openArchive(storage, opening, context, options.headerIndex)
    const signal = context.stop.draining
    const now = deps.clock.now()
    if (options.points) return pointsOutcome(await listPoints(deps, options.limit, signal), now)
    if (!options.withPoints) return await topicsOf(deps, options, now, signal)
    const points = await listPoints(deps, options.limit, signal)
    const topics = await topicsOf(deps, options, now, signal).catch((error: unknown) => {
      if (points.total === 0 || !isWithoutTopics(error)) throw error
      return noTopics
    })
    return bothOf(pointsOutcome(points, now), topics)
  },
})

async function topicsOf(
  deps: ArchiveDeps,
  options: TopicSelection,
  now: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const survey = await surveyArchive(deps, options, signal)
  const foreign = [...survey.foreign]
  const generations = await surveyGenerations(deps, options, key => void foreign.push(key), signal)
  return topicsOutcome(besideGenerations(survey, generations), generations, foreign, now)
}

/** Groups and points are saved by a process of their own, which may be there first. */
const noTopics: Outcome = {
  result: 'ok',
  details: { topics: [], generations: [], foreign: [], leftovers: 0 },
  text: 'there is no file of a topic: maxbrod backup makes them\n',
}

function topicsOutcome(
  survey: Survey,
  generations: readonly SurveyedGeneration[],
  foreign: readonly string[],
  now: number,
): Outcome {
  const { leftovers } = survey
  const topics = listTopics(survey)
  const chains = survey.topics.flatMap(one => one.chains)
  const rows = topics.map(one => [
    one.folder,
    one.partitions,
    one.files,
    one.records ?? '?',
    formatBytes(one.bytes),
    one.timestampMin === undefined ? '' : timeText(one.timestampMin),
    one.timestampMax === undefined ? '' : timeText(one.timestampMax),
    one.newest === undefined ? '' : `${ago(one.newest.storedAtMs, now)}: ${one.newest.key}`,
  ])
  const headings = ['topic', 'partitions', 'files', 'records', 'size', 'first record', 'last record', 'newest file']
  const needed = generations.filter(one => !isDispensable(one, chains))
  const problems = [...topics, ...needed].flatMap(one => one.problems)
  const beside = generationsByTopic(generations)
  const bytes = topics.reduce((sum, one) => sum + one.bytes, 0)
  const files = topics.reduce((sum, one) => sum + one.files, 0)
  const text = [
    table(headings, rows),
    `${topics.length} topics, ${files} files, ${formatBytes(bytes)}\n`,
    ...problems.map(({ key, problem }) => `${key}: ${problem}\n`),
    generationTable(beside),
    foreign.length === 0 ? '' : `${foreign.length} objects are no backup files: ${some(foreign)}\n`,
    leftovers.length === 0
      ? ''
      : `${leftovers.length} files were pruned and are still there: maxbrod prune goes on with them\n`,
  ].join('')
  return {
    result: problems.length === 0 ? 'ok' : 'partial',
    details: { topics, generations: beside, foreign, leftovers: leftovers.length },
    text,
  }
}

function pointsOutcome({ total, points, unreadable }: ListedPoints, now: number): Outcome {
  const rows = points.map(one => [timeText(one.atMs), ago(one.atMs, now), one.topics, one.partitions, one.groups ?? ''])
  const text =
    total === 0
      ? 'there are no restoration points: maxbrod groups-backup makes them\n'
      : `${table(['restoration point', '', 'topics', 'partitions', 'consumer groups'], rows)}${total} restoration points\n`
  const lines = unreadable.map(({ key, problem }) => `${key}: ${problem}\n`)
  const result = unreadable.length === 0 ? 'ok' : 'partial'
  return { result, details: { total, points, unreadable }, text: text + lines.join('') }
}

function bothOf(points: Outcome, topics: Outcome): Outcome {
  const result = points.result === 'ok' ? topics.result : points.result
  return { result, details: { ...topics.details, restorationPoints: points.details }, text: points.text + topics.text }
}

function some(names: readonly string[]): string {
  return `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`
}
