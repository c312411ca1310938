import type { Prunes } from '../catalog/prunes.ts'
import { parseTileKey } from '../format/keys.ts'
import type { Disk } from '../runtime/disk.ts'
import type { Random } from '../runtime/random.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import type { Throttle } from '../runtime/throttle.ts'
import { missingHead } from './check-chain.ts'
import { checkGeneration, filesOfSealed, isDispensable, sealedHashes, sealsOf } from './check-generation.ts'
import { checkNames } from './check-names.ts'
import { checkSystemObjects } from './check-system.ts'
import { chooseFiles } from './choose-files.ts'
import type { ArchiveDeps } from './deps.ts'
import type { Finding } from './findings.ts'
import { gone } from './gone.ts'
import { Ledger } from './ledger.ts'
import { besideGenerations, surveyGenerations } from './survey-generations.ts'
import { isSelected, surveyArchive } from './survey.ts'
import type { SurveyedFile } from './survey.ts'
import { listSystemObjects } from './system-objects.ts'
import type { SystemObject } from './system-objects.ts'
import { TwinRecords, twinsOf } from './twins.ts'
import type { Twins } from './twins.ts'
import { readFiles } from './verify-files.ts'
import type { FilesRead } from './verify-files.ts'
import type { VerifyOptions } from './verify-options.ts'

export interface VerifyDeps extends ArchiveDeps {
  readonly disk: Disk
  readonly random: Random
}

export interface Verification extends FilesRead {
  readonly topics: number
  readonly partitions: number
  /** All files of the selection. */
  readonly files: number
  /** Objects beside the data files (groups, points, definitions of topics): all, and those that were read and found right. */
  readonly systemObjects: number
  readonly systemVerified: number
  /** Pairs of a plain and an encrypted file that cover the same offsets: with the same records, and of which a sample did not read both. */
  readonly twins: number
  readonly twinsUnread: number
  /** Files of workers are there, and nothing that says whose backup they are; nothing says that it was there either. */
  readonly isWithoutCluster: boolean
  /** Keys that are no data files where only those belong. */
  readonly foreign: readonly string[]
  /** Files that were pruned and are still there. They were not looked at. */
  readonly leftovers: number
  /** Partitions whose files were made of others and lie beside the originals, and those of which nobody finished that. */
  readonly generations: number
  readonly unfinished: number
}

/**
 * Proves that an archive is what it was when it was written: all names, headers and tilings, and the bytes of all files or of
 * a sample. What is wrong does not end it; it is found and named. Throws BACKUP_NOT_FOUND.
 */
export async function verifyArchive(
  deps: VerifyDeps,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<Verification> {
  const { store, disk, clock, random } = deps
  const ledger = await Ledger.open(disk, clock, options.state, store.url)
  try {
    const foreign: string[] = []
    const onForeign = (key: string) => void foreign.push(key)
    const generations = await surveyGenerations(deps, options, onForeign, signal)
    const survey = besideGenerations(await surveyArchive(deps, options, signal), generations)
    foreign.push(...survey.foreign)
    const chains = survey.topics.flatMap(topic => topic.chains)
    const counting = generations.filter(one => !isDispensable(one, chains))
    const shown = new Map(
      [...chains, ...counting.map(filesOfSealed)].flatMap(({ files: own }) =>
        own.map(file => [file.key, file] as const),
      ),
    )
    const files = [...shown.values()]
    const system = [...(await listSystemObjects(store, onForeign, signal)), ...generations.flatMap(sealsOf)]
    const names = await checkNames(deps, survey, system, signal)
    const findings = [
      ...names.findings,
      ...counting.flatMap(checkGeneration),
      ...gone(ledger, [...files, ...system], options, survey.prunes),
    ]
    await forgetPruned(ledger, files, survey.prunes)
    if (!options.allowMissingHeads) findings.push(...chains.flatMap(chain => missingHead(chain) ?? []))
    const readable = files.filter(({ problem }) => problem === undefined)
    const twins = new TwinRecords(chains.flatMap(twinsOf))
    const chosen = withTwins(
      chooseFiles(readable, ledger.files, options.sample, ledger.done, () => random.number()),
      twins.all,
      options.sample === 1,
    )
    const throttle = options.maxRate === undefined ? unthrottled : newThrottle(clock, options.maxRate)
    const read = await readFiles(deps, chosen, twins, ledger, sealedHashes(generations), options, throttle, signal)
    const shared = system.filter(({ topic }) => topic === undefined)
    // Which incarnation was first is asked for each topic anyway.
    const firsts = system.filter(({ topic }) => topic !== undefined && isSelected(topic, options))
    const asked = [...firsts, ...chooseFiles(shared, ledger.files, options.sample, ledger.done, () => random.number())]
    const beside = await readSystem(deps, asked, ledger, throttle, signal)
    await ledger.finish()
    return {
      topics: survey.topics.length,
      partitions: new Set(chains.map(({ place }) => `${place.topic}/${place.topicId}/${place.partition}`)).size,
      files: files.length,
      ...read,
      systemObjects: firsts.length + shared.length,
      systemVerified: beside.sound,
      twins: twins.all.filter(one => twins.areSame(one) === true).length,
      twinsUnread: twins.all.filter(one => twins.areSame(one) === undefined).length,
      findings: [...judged(findings, twins), ...read.findings, ...beside.findings].toSorted(byPlace),
      isWithoutCluster: names.isWithoutCluster,
      foreign,
      leftovers: survey.leftovers.length,
      generations: generations.filter(({ sealed }) => sealed !== undefined).length,
      unfinished: generations.filter(({ sealed }) => sealed === undefined).length,
    }
  } finally {
    await ledger.close()
  }
}

/** The files with their twins, as one says nothing of the other; with `all`, all twins, those that an earlier run has read among them. */
function withTwins(chosen: readonly SurveyedFile[], twins: readonly Twins[], all: boolean): readonly SurveyedFile[] {
  const files = new Set(chosen)
  const taken = twins.filter(({ first, second }) => all || files.has(first) || files.has(second))
  for (const { first, second } of taken) files.add(first).add(second)
  return [...files]
}

/** Twins that hold the same are no finding, nor those of which nobody can tell today. */
function judged(findings: readonly Finding[], twins: TwinRecords): Finding[] {
  return findings.flatMap(finding => {
    const { kind, key, from, to } = finding
    const own = twins.all.find(
      one => kind === 'overlap' && one.second.key === key && one.from === from && one.to === to,
    )
    if (own === undefined) return [finding]
    if (twins.areSame(own) !== false) return []
    const { first, second } = own
    return [
      { ...finding, says: `${first.key} and ${second.key} hold different records of offsets ${from} to ${own.to - 1}` },
    ]
  })
}

/** What was removed on purpose needs not be remembered. */
async function forgetPruned(ledger: Ledger, files: readonly SurveyedFile[], prunes: Prunes): Promise<void> {
  const present = new Set(files.map(({ key }) => key))
  for (const key of ledger.files.keys()) {
    const place = parseTileKey(key)
    const isPruned = prunes.hasRemoved(key) || (place !== undefined && prunes.isPruned(place))
    if (isPruned && !present.has(key)) await ledger.forget(key)
  }
}

async function readSystem(
  { store, progress }: ArchiveDeps,
  objects: readonly SystemObject[],
  ledger: Ledger,
  throttle: Throttle,
  signal: AbortSignal,
): ReturnType<typeof checkSystemObjects> {
  const total = objects.reduce((sum, { bytes }) => sum + bytes, 0)
  using task = progress.task('verifying groups and points', { unit: 'bytes', total })
  return await checkSystemObjects(objects, ledger, { store, throttle, signal, onBytes: bytes => task.add(bytes) })
}

function byPlace(a: Finding, b: Finding): number {
  const [one, other] = [a.topic ?? '', b.topic ?? '']
  if (one !== other) return one < other ? -1 : 1
  return (a.partition ?? -1) - (b.partition ?? -1) || (a.from ?? -1) - (b.from ?? -1)
}
