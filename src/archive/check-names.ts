import { findArchive } from '../catalog/archive.ts'
import { readFirstIncarnation } from '../catalog/incarnation.ts'
import { clusterKey } from '../format/system-keys.ts'
import { checkTopic } from './check-chain.ts'
import type { Owner } from './check-chain.ts'
import type { ArchiveDeps } from './deps.ts'
import { nowhere } from './findings.ts'
import type { Finding } from './findings.ts'
import { topicIdOf } from './list.ts'
import { problemOf } from './survey.ts'
import type { Survey, SurveyedTopic } from './survey.ts'

/** What names and headers of all topics show, and whose they are. What says so may be damaged, which is told. */
export async function checkNames({ store }: ArchiveDeps, { topics }: Survey, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = []
  const archive = await unlessDamaged(findArchive(store, signal), problem => {
    const says = `${clusterKey}: ${problem}`
    findings.push({ kind: 'damaged', ...nowhere, key: clusterKey, says })
  })
  for (const topic of topics)
    findings.push(...checkTopic(topic, await ownerOf(topic, archive?.clusterId, store, signal)))
  return findings
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

/** What a damaged object cannot tell, others do. */
async function unlessDamaged<T>(reading: Promise<T>, onDamage?: (problem: string) => void): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    onDamage?.(problem)
    return undefined
  }
}
