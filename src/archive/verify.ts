import type { Prunes } from '../catalog/prunes.ts'
import { parseTileKey } from '../format/keys.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import type { Disk } from '../runtime/disk.ts'
import { newLimit } from '../runtime/limit.ts'
import { newThrottle, unthrottled } from '../runtime/throttle.ts'
import type { Throttle } from '../runtime/throttle.ts'
import type { Random } from '../runtime/random.ts'
import { missingHead } from './check-chain.ts'
import { checkFile } from './check-file.ts'
import type { FileReading } from './check-file.ts'
import { checkNames } from './check-names.ts'
import { checkSystemObjects } from './check-system.ts'
import { chooseFiles } from './choose-files.ts'
import type { ArchiveDeps } from './deps.ts'
import type { Finding } from './findings.ts'
import { gone } from './gone.ts'
import { Ledger } from './ledger.ts'
import { checkGeneration, filesOfSealed, isDispensable, sealedHashes, sealsOf } from './check-generation.ts'
import { isSelected, problemOf, surveyArchive } from './survey.ts'
import type { SurveyedFile } from './survey.ts'
import { besideGenerations, surveyGenerations } from './survey-generations.ts'
import { listSystemObjects } from './system-objects.ts'
import type { SystemObject } from './system-objects.ts'
import { TwinRecords, twinsOf } from './twins.ts'
import type { Twins } from './twins.ts'
import type { VerifyOptions } from './verify-options.ts'

export interface VerifyDeps extends ArchiveDeps {
  readonly disk: Disk
  readonly random: Random
}

export interface Verification {
  readonly topics: number
  readonly partitions: number
  /** All files of the selection. */
  readonly files: number
  /** Read to their end by this run, and found to be what they say. */
  readonly verified: number
  readonly records: number
  readonly bytes: number
  /** Objects beside the data files (groups, points, definitions of topics): all, and those that were read and found right. */
  readonly systemObjects: number
  readonly systemVerified: number
  /** Of those that were read, so many have no checksum beside them that covers their header. */
  readonly headersUnproven: number
  readonly findings: readonly Finding[]
  /** Pairs of a plain and an encrypted file that cover the same offsets: with the same records, and of which a sample did not read both. */
  readonly twins: number
  readonly twinsUnread: number
  /** Keys that are no data files where only those belong. */
  readonly foreign: readonly string[]
  /** Files that were pruned and are still there. They were not looked at. */
  readonly leftovers: number
  /** Partitions whose files were made of others and lie beside the originals, and those of which nobody finished that. */
  readonly generations: number
  readonly unfinished: number
}

/** Read at the same time. */
const FILES = 4
const AHEAD_BYTES = 64 * 1024 * 1024

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
    const findings = [
      ...(await checkNames(deps, survey, signal)),
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

type FilesRead = Pick<Verification, 'verified' | 'records' | 'bytes' | 'headersUnproven' | 'findings'>

async function readFiles(
  { store, pool, progress }: ArchiveDeps,
  chosen: readonly SurveyedFile[],
  twins: TwinRecords,
  ledger: Ledger,
  sealed: ReadonlyMap<string, string>,
  { maxRecordBytes }: VerifyOptions,
  throttle: Throttle,
  signal: AbortSignal,
): Promise<FilesRead> {
  using task = progress.task('verifying', { unit: 'bytes', total: chosen.reduce((sum, { bytes }) => sum + bytes, 0) })
  const reading: FileReading = {
    store,
    pool,
    budget: new ByteBudget(AHEAD_BYTES),
    maxRecordBytes,
    signal,
    throttle,
    onBytes: bytes => task.add(bytes),
  }
  const read = { verified: 0, records: 0, bytes: 0, headersUnproven: 0, findings: new Array<Finding>() }
  const limit = newLimit(FILES)
  const readOne = async (file: SurveyedFile) => {
    signal.throwIfAborted()
    const followed = twins.follow(file)
    try {
      const sound = await checkFile(file, reading, followed?.visit)
      followed?.read()
      const before = ledger.files.get(file.key)
      if (before !== undefined && before.sha256 !== sound.sha256)
        return void read.findings.push(replaced(file, before.atMs))
      if ((sealed.get(file.key) ?? sound.sha256) !== sound.sha256)
        return void read.findings.push(
          findingOf('damaged', file, 'it has other bytes than the seal of its generation says'),
        )
      read.verified++
      read.records += sound.records
      read.bytes += sound.bytes
      if (!sound.isHeaderProven) read.headersUnproven++
      await ledger.add(file.key, { etag: file.etag, bytes: file.bytes, sha256: sound.sha256 })
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      read.findings.push(findingOf('damaged', file, problem))
    }
    return undefined
  }
  await Promise.all(chosen.map(file => limit(() => readOne(file))))
  return read
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

function replaced(file: SurveyedFile, atMs: number): Finding {
  return findingOf('replaced', file, `had other bytes when it was verified at ${new Date(atMs).toISOString()}`)
}

function findingOf(kind: Finding['kind'], { key, place, header }: SurveyedFile, problem: string): Finding {
  const { topic, partition, from } = place
  const to = header?.kind === 'maxbrod' ? header.tile.coversTo : undefined
  return { kind, topic, partition, key, from, to, says: `${key}: ${problem}` }
}

function byPlace(a: Finding, b: Finding): number {
  const [one, other] = [a.topic ?? '', b.topic ?? '']
  if (one !== other) return one < other ? -1 : 1
  return (a.partition ?? -1) - (b.partition ?? -1) || (a.from ?? -1) - (b.from ?? -1)
}
