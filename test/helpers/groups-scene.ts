import type { TestContext } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { readGroups } from '../../src/catalog/group-snapshots.ts'
import type { RestorationPoint } from '../../src/catalog/restoration-points.ts'
import { SoundSnapshots } from '../../src/catalog/sound-snapshots.ts'
import type { GroupOffsets } from '../../src/format/snapshot/group-offsets.ts'
import type { ClusterAdmin } from '../../src/kafka/port/admin.ts'
import type { CommandResult } from './in-process.ts'
import { runCommand } from './in-process.ts'
import { RestoreScene } from './restore-scene.ts'
import type { World } from './world.ts'
import { openWorld } from './world.ts'

/** A row of what `groups-restore` says. */
export interface RestoredOffset {
  readonly group: string
  readonly targetGroup: string
  readonly topic: string
  readonly partition: number
  readonly target: string
  readonly saved: number
  readonly offset?: number
  readonly verdict: string
  readonly reason: string
}

export function offsetsOf({ json }: CommandResult): RestoredOffset[] {
  return json['offsets'] as RestoredOffset[]
}

/** One committed offset, as short as tests want it. */
export interface Committed {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string | null
  readonly leaderEpoch: number | null
}

/** A backup of topics and groups in a folder, and the commands about groups: for groups whose names begin like the world's. */
export class GroupsScene extends RestoreScene {
  override readonly planTopic: string

  /** Restores of one backup beside each other need plan topics of their own. */
  constructor(world: World, planWord = 'plan') {
    super(world)
    this.planTopic = world.name(planWord)
  }

  /** Matches the groups of this test and no others. */
  get groups(): string {
    return `--groups=.*${this.world.name('')}`
  }

  group(word: string): string {
    return this.world.name(word)
  }

  backUpGroups(flags: readonly string[] = [], ports = this.#ownTopics): Promise<CommandResult> {
    const own = ['--once', '--metrics-port=0', this.groups]
    return runCommand(['groups-backup', ...own, ...flags, ...this.common], ports)
  }

  /** `groups-restore` with the names of this test's groups; metrics are off. */
  groupsRestoreArgv(flags: readonly string[]): string[] {
    const own = [`--plan-topic=${this.planTopic}`, '--metrics-port=0', '--loop-interval=200ms']
    const groups = flags.some(flag => flag.startsWith('--groups=')) ? [] : [this.groups]
    return ['groups-restore', ...own, ...groups, ...flags, ...this.common]
  }

  restoreGroups(flags: readonly string[] = [], ports?: (real: Ports) => Ports): Promise<CommandResult> {
    return runCommand(this.groupsRestoreArgv(flags), ports)
  }

  /** The commits of a snapshot, by group. */
  async committedIn(key: unknown): Promise<Record<string, Committed[]>> {
    const { groups } = await readGroups(this.store, String(key))
    return Object.fromEntries(groups.map(group => [group.group_id, flatten(group)]))
  }

  async groupsIn(key: unknown): Promise<readonly GroupOffsets[]> {
    return (await readGroups(this.store, String(key))).groups
  }

  /** All restoration points, the oldest first. */
  async points(): Promise<RestorationPoint[]> {
    const snapshots = new SoundSnapshots(this.store, (_, error) => {
      throw error
    })
    return (await Array.fromAsync(snapshots.pointsNotAfter(Date.now()))).toReversed()
  }

  /** Other tests come and go on the same broker: their topics are none of this one's. */
  get #ownTopics(): (real: Ports) => Ports {
    const suffix = this.world.name('')
    return withAdmin(admin => ({
      async topics(names) {
        return (await admin.topics(names)).filter(({ name }) => name.includes(suffix))
      },
    }))
  }
}

/** Ports whose cluster answers some verbs otherwise. */
export function withAdmin(change: (real: ClusterAdmin) => Partial<ClusterAdmin>): (real: Ports) => Ports {
  return real => ({
    ...real,
    async openKafka(options, tools) {
      const kafka = await real.openKafka(options, tools)
      return { ...kafka, admin: { ...kafka.admin, ...change(kafka.admin) } }
    },
  })
}

function flatten({ topics }: GroupOffsets): Committed[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, metadata, leader_epoch: leaderEpoch }) => ({
      topic,
      partition,
      offset,
      metadata,
      leaderEpoch,
    })),
  )
}

export async function openGroupsScene(t: TestContext): Promise<GroupsScene> {
  return new GroupsScene(await openWorld(t))
}
