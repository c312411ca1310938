/** The commands that can be prepared for. */
export const PURPOSES = ['backup', 'plan', 'restore', 'groups-backup', 'groups-restore'] as const

export type Purpose = (typeof PURPOSES)[number]

/** A right that a command uses, by the name of Kafka's AclOperation. */
export interface NeededRight {
  readonly operation: string
  /** What does not work without it; undefined when nothing works. */
  readonly without?: string
}

export interface Needs {
  readonly topics: readonly NeededRight[]
  readonly group: readonly NeededRight[]
  readonly cluster: readonly NeededRight[]
  readonly planTopic: readonly NeededRight[]
  /** True when the command creates objects. */
  readonly storesObjects: boolean
  readonly hasWorkingDir: boolean
}

const describeCluster = { operation: 'DESCRIBE', without: 'ACLs are not saved with the topic definitions' }

/** What each command uses; docs/backup.md, docs/restore.md and docs/groups.md say the same in words. */
export const NEEDS: Readonly<Record<Purpose, Needs>> = {
  backup: {
    topics: [
      { operation: 'READ' },
      { operation: 'DESCRIBE' },
      {
        operation: 'DESCRIBE_CONFIGS',
        without: 'the configs of topics are not saved, so a restore cannot create them',
      },
    ],
    group: [{ operation: 'READ' }],
    cluster: [describeCluster],
    planTopic: [],
    storesObjects: true,
    hasWorkingDir: true,
  },
  plan: {
    topics: [
      { operation: 'DESCRIBE' },
      { operation: 'DESCRIBE_CONFIGS' },
      { operation: 'ALTER_CONFIGS', without: 'records cannot be held: use --hold off, or retention may delete them' },
    ],
    group: [],
    cluster: [{ operation: 'CREATE', without: 'topics cannot be created: create targets and plan topic before' }],
    planTopic: [{ operation: 'READ' }, { operation: 'WRITE' }, { operation: 'DESCRIBE' }],
    storesObjects: false,
    hasWorkingDir: false,
  },
  restore: {
    topics: [{ operation: 'WRITE' }, { operation: 'READ' }, { operation: 'DESCRIBE' }],
    group: [{ operation: 'READ' }],
    cluster: [],
    planTopic: [{ operation: 'READ' }, { operation: 'DESCRIBE' }],
    storesObjects: false,
    hasWorkingDir: false,
  },
  'groups-backup': {
    topics: [{ operation: 'DESCRIBE' }],
    group: [],
    cluster: [{ operation: 'DESCRIBE', without: 'only groups that this user may see are saved' }],
    planTopic: [],
    storesObjects: true,
    hasWorkingDir: false,
  },
  'groups-restore': {
    topics: [{ operation: 'READ' }, { operation: 'DESCRIBE' }],
    group: [],
    cluster: [],
    planTopic: [{ operation: 'READ' }, { operation: 'DESCRIBE' }],
    storesObjects: false,
    hasWorkingDir: false,
  },
}
