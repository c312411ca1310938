import { SoundDefinitions } from '../../catalog/sound-definitions.ts'
import { writeDefinitions } from '../../catalog/topic-definitions.ts'
import { parseSnapshotKey, topicsPrefix } from '../../format/system-keys.ts'
import type { TopicDefinition } from '../../format/snapshot/topic-definitions.ts'
import type { TopicAcl as KafkaAcl, TopicDescription } from '../../kafka/port/admin.ts'
import type { TopicSelection } from '../../kafka/port/membership.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { WorkerContext } from '../deps.ts'
import { clusterPolicyOf, inOneCluster } from './cluster-policy.ts'
import { selectTopics } from './selection.ts'
import { visibleConfigs } from './visible-configs.ts'

/** So many writers do not meet again and again. */
const MAX_TRIES = 20

/**
 * Keeps the definitions of the selected topics in the archive: one object whenever something changed. What it holds of other
 * topics that are still there is carried over. All workers may call it; it does something for the one that `isResponsible`.
 */
export class DefinitionKeeper {
  readonly #context: WorkerContext
  readonly #selection: TopicSelection
  #written = ''
  /** Topics whose configs may not be seen, as the log has said; they are not asked for again. */
  readonly #hidden = new Set<string>()
  readonly #sound: SoundDefinitions

  constructor(context: WorkerContext, selection: TopicSelection) {
    this.#context = context
    this.#selection = selection
    this.#sound = new SoundDefinitions(context.store, (key, err) =>
      context.log.warn({ key, err }, 'damaged topic definitions are passed over: others count instead'),
    )
  }

  /** Writes the definitions if the newest ones in the archive differ. */
  async keep(signal: AbortSignal): Promise<void> {
    const existing = await this.#context.kafka.admin.topics()
    const own = await this.#define(existing)
    const ownText = canonical(own)
    if (own.length === 0 || ownText === this.#written) return
    for (let tries = 0, atMs = 0; tries < MAX_TRIES; tries++) {
      atMs = Math.max(this.#context.clock.now(), atMs + 1)
      if (!(await this.#bring(own, existing, atMs, signal))) continue
      this.#written = ownText
      return
    }
    throw new MaxbrodError('STORAGE_UNREACHABLE', `keys of ${topicsPrefix} are taken, ${MAX_TRIES} times in a row`)
  }

  /** False when others wrote definitions in that very millisecond: theirs are to be carried over first. */
  async #bring(
    own: readonly TopicDefinition[],
    existing: readonly TopicDescription[],
    atMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const newest = await this.#sound.newest(signal)
    const known = newest?.topics ?? []
    const topics = inOneCluster(
      [
        ...own.map(one => (this.#hidden.has(one.topic) ? withKnownConfigs(one, known) : one)),
        ...ofOthers(own, known, existing),
      ],
      own[0]?.clusterPolicy ?? known[0]?.clusterPolicy,
    )
    if (newest !== undefined && canonical(newest.topics) === canonical(topics)) return true
    // A clock that was wrong once, or is another one's, must not hide what holds from now on.
    const behindMs = newest === undefined ? 0 : (parseSnapshotKey(topicsPrefix, newest.key) ?? 0) + 1
    const key = await writeDefinitions(this.#context.store, topics, Math.max(atMs, behindMs), signal)
    if (key !== undefined) this.#context.log.info({ key, topics: topics.length }, 'wrote topic definitions')
    return key !== undefined
  }

  async #define(existing: readonly TopicDescription[]): Promise<TopicDefinition[]> {
    const { admin } = this.#context.kafka
    const topics = (await selectTopics({ topics: async () => existing }, this.#selection)).filter(
      topic => topic.error === undefined,
    )
    const names = topics.map(({ name }) => name).filter(name => !this.#hidden.has(name))
    const [{ configs, hidden }, acls] = await Promise.all([visibleConfigs(admin, names), admin.topicAcls()])
    this.#hide(hidden)
    const clusterPolicy = clusterPolicyOf(configs.values())
    return topics.map(({ name, topicId, partitions, replicationFactor }) => ({
      topic: name,
      topic_id: topicId ?? null,
      partitions,
      replication_factor: replicationFactor,
      configs: Object.fromEntries(
        (configs.get(name) ?? []).flatMap(({ name: config, value, isOwn }) =>
          isOwn && value !== null ? [[config, value]] : [],
        ),
      ),
      acls: acls.filter(({ resource, patternType }) => appliesTo(name, resource, patternType)).map(toFileForm),
      ...(clusterPolicy !== undefined && { clusterPolicy }),
    }))
  }

  #hide(hidden: readonly string[]): void {
    for (const topic of hidden) {
      this.#hidden.add(topic)
      this.#context.log.warn({ topic }, 'cannot see the configs of a topic: its definition keeps those that it had')
    }
  }
}

/** What the archive knows of configs that may not be seen now; none if that was another topic of the name. */
function withKnownConfigs(own: TopicDefinition, known: readonly TopicDefinition[]): TopicDefinition {
  const before = known.find(({ topic, topic_id: id }) => topic === own.topic && id === own.topic_id)
  if (before === undefined || before.areConfigsUnseen) return { ...own, configs: {}, areConfigsUnseen: true }
  return { ...own, configs: before.configs }
}

/**
 * What the archive knows of topics that are there and not ours now: another group backs them up, or a restore fills them. The
 * newest definitions would hide theirs otherwise.
 */
function ofOthers(
  own: readonly TopicDefinition[],
  known: readonly TopicDefinition[],
  existing: readonly TopicDescription[],
): TopicDefinition[] {
  const ours = new Set(own.map(({ topic }) => topic))
  const there = new Map(existing.map(({ name, topicId }) => [name, topicId]))
  return known.filter(
    ({ topic, topic_id: id }) =>
      !ours.has(topic) && there.has(topic) && (id === null || (there.get(topic) ?? id) === id),
  )
}

/** Kafka's code for ACLs on all names with a prefix (`PatternType.PREFIXED`). */
const PREFIXED = 4

function appliesTo(topic: string, resource: string, patternType: number): boolean {
  return patternType === PREFIXED ? topic.startsWith(resource) : resource === topic || resource === '*'
}

function toFileForm({ patternType, ...acl }: KafkaAcl): TopicDefinition['acls'][number] {
  return { ...acl, pattern_type: patternType }
}

function canonical(topics: readonly TopicDefinition[]): string {
  const sorted = topics.toSorted((a, b) => (a.topic < b.topic ? -1 : 1))
  return JSON.stringify(
    sorted.map(({ topic, topic_id: id, partitions, replication_factor: replicas, configs, acls, ...rest }) => [
      [topic, id, partitions, replicas, rest.areConfigsUnseen, rest.clusterPolicy],
      Object.entries(configs).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      // The cluster lists them in any order.
      acls
        .map(({ resource, pattern_type: type, principal, host, operation, permission }) =>
          JSON.stringify([resource, type, principal, host, operation, permission]),
        )
        .sort(),
    ]),
  )
}
