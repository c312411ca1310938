import { findArchive } from '../catalog/archive.ts'
import { readFirstIncarnation } from '../catalog/incarnation.ts'
import { clusterKey, groupsPrefix, pointsPrefix, topicsPrefix } from '../format/system-keys.ts'
import { checkTopic } from './check-chain.ts'
import type { Owner } from './check-chain.ts'
import type { ArchiveDeps } from './deps.ts'
import { nowhere } from './findings.ts'
import type { Finding } from './findings.ts'
import { topicIdOf } from './list.ts'
import type { Survey, SurveyedTopic } from './survey.ts'
import { unlessDamaged } from './unless-damaged.ts'

export interface CheckedNames {
  readonly findings: readonly Finding[]
  /** Workers wrote files here, and nothing says whose backup it is, nor that something said so: folders of topics that were copied. */
  readonly isWithoutCluster: boolean
}

/** Written by who has created `@cluster/cluster.json` before, and by nobody else. */
const BEHIND_A_CLAIM = [topicsPrefix, groupsPrefix, pointsPrefix]

/**
 * What names and headers of all topics show, and whose they are. What says so may be damaged, or gone though it must have been there
 * before `system`, the objects beside the files: that is told.
 */
export async function checkNames(
  { store }: ArchiveDeps,
  { topics }: Survey,
  system: readonly { readonly key: string }[],
  signal: AbortSignal,
): Promise<CheckedNames> {
  const findings: Finding[] = []
  const reading = findArchive(store, signal).then(found => found ?? 'missing')
  const archive = await unlessDamaged(reading, problem => {
    const says = `${clusterKey}: ${problem}`
    findings.push({ kind: 'damaged', ...nowhere, key: clusterKey, says })
  })
  const isMissing = archive === 'missing' && topics.some(isOfWorkers)
  const trace = system.find(({ key }) => BEHIND_A_CLAIM.some(prefix => key.startsWith(prefix)))
  if (isMissing && trace !== undefined) {
    const says = `${clusterKey} is gone, which was there before ${trace.key}: the next worker would begin another backup here`
    findings.push({ kind: 'gone', ...nowhere, key: clusterKey, says })
  }
  const clusterId = archive === 'missing' ? undefined : archive?.clusterId
  for (const topic of topics) findings.push(...checkTopic(topic, await ownerOf(topic, clusterId, store, signal)))
  return { findings, isWithoutCluster: isMissing && trace === undefined }
}

/** Files of kafka-data-keep lie where there never was such an object. */
function isOfWorkers({ chains }: SurveyedTopic): boolean {
  return chains.some(({ files }) => files.some(({ header, place }) => header?.kind === 'maxbrod' || place.isEncrypted))
}

async function ownerOf(
  topic: SurveyedTopic,
  clusterId: string | undefined,
  store: ArchiveDeps['store'],
  signal: AbortSignal,
): Promise<Owner> {
  const { folder, chains } = topic
  const first = chains.flatMap(({ files }) => files).find(({ header }) => header?.kind === 'maxbrod')?.header
  const topicId =
    folder.topicId ?? (await unlessDamaged(readFirstIncarnation(store, folder.topic, signal))) ?? topicIdOf(topic)
  return { clusterId: clusterId ?? (first?.kind === 'maxbrod' ? first.tile.clusterId : undefined), topicId }
}
