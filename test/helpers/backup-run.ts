import assert from 'node:assert/strict'
import type { Ports } from '../../src/commands/ports.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { eventually } from './eventually.ts'
import type { CommandResult, RunningCommand } from './in-process.ts'
import { runCommand, startCommand } from './in-process.ts'
import { logged } from './log-lines.ts'
import type { StoredPartition } from './stored-backup.ts'
import { partitionsOf, readBackup } from './stored-backup.ts'
import type { World } from './world.ts'

export interface BackupRunOptions {
  readonly world: World
  readonly topics: readonly string[]
  /** Default one for the whole world. */
  readonly group?: string
  /** Name of the folder below the world's that is the store. */
  readonly store?: string
}

/** A backup of topics of a test's world into a folder of it: what its workers are told, and what it holds. */
export class BackupRun {
  readonly store: ErasableStore
  readonly group: string
  readonly #options: BackupRunOptions
  readonly #storeFolder: string

  constructor(options: BackupRunOptions) {
    const { world, group = world.name('backup'), store = 'backup' } = options
    this.#options = options
    this.group = group
    this.#storeFolder = `${world.folder}/${store}`
    this.store = openDirectoryStore(this.#storeFolder)
  }

  /** For `--storage`. */
  get url(): string {
    return `file://${this.#storeFolder}`
  }

  /** `worker` names a working directory. */
  argv(worker: string, ...flags: readonly string[]): string[] {
    const { world, topics } = this.#options
    const usual = ['--session-timeout=6s', '--metrics-port=0', '--flush-port=0']
    const isNamed = (flag: string) => flags.some(named => named.startsWith(flag.slice(0, flag.indexOf('='))))
    return [
      'backup',
      `--bootstrap-server=${world.bootstrap}`,
      `--storage=${this.url}`,
      `--group-id=${this.group}`,
      `--working-dir=${world.folder}/${worker}`,
      ...topics.map(topic => `--topics=${topic}`),
      ...usual.filter(flag => !isNamed(flag)),
      ...flags,
    ]
  }

  /** A worker that goes on until it gets a signal. */
  start(worker: string, flags: readonly string[] = [], ports?: (real: Ports) => Ports): RunningCommand {
    return startCommand(this.argv(worker, ...flags), ports)
  }

  /** A worker that ends when all is backed up. */
  once(flags: readonly string[] = [], ports?: (real: Ports) => Ports): Promise<CommandResult> {
    return runCommand(this.argv('once', '--once', ...flags), ports)
  }

  /** `once`, when nothing may be left out. */
  async onceOk(...flags: readonly string[]): Promise<CommandResult> {
    const result = await this.once(flags)
    assert.equal(result.exit, 0, result.stderr)
    assert.equal(result.json['result'], 'ok')
    return result
  }

  /** The partitions of one topic folder, after the proof that their files tile. */
  async stored(topicFolder: string): Promise<StoredPartition[]> {
    return partitionsOf(await readBackup(this.store), topicFolder)
  }

  /** Resolves when the files of a topic folder reach the ends that its log has now, in all partitions. */
  async reachesEnds(topic: string, topicFolder = topic): Promise<void> {
    const ends = (await this.#options.world.referee.offsets(topic)).map(({ end }) => Number(end))
    await eventually(`${topicFolder} is backed up to its ends`, async () => {
      const stored = await this.stored(topicFolder)
      assert.deepEqual(
        stored.map(({ to }) => to),
        ends,
      )
      return true
    })
  }

  /** Throws unless the files of a topic folder hold what the referee reads in the topic. */
  async assertSame(topic: string, topicFolder = topic): Promise<void> {
    const read = await this.#options.world.referee.read(topic)
    const stored = await this.stored(topicFolder)
    assert.deepEqual(
      stored.map(({ records, digest, to }) => ({ records: records.length, digest, to })),
      read.map(({ records, digest, end }) => ({ records, digest, to: Number(end) })),
    )
  }
}

/** A worker began with a partition. */
export interface Begun {
  readonly partition: string
  readonly position: number
  /** ISO 8601: sorts. */
  readonly time: string
}

/** What a worker has begun with, in order. */
export function begun(output: string): Begun[] {
  return logged(output, 'backing up').map(({ topic, partition, position, time }) => ({
    partition: `${topic as string}-${partition as number}`,
    position: position as number,
    time: time as string,
  }))
}

/** Who has each partition: whoever was the last to begin with it. */
export function owners<Name extends string>(outputs: ReadonlyMap<Name, string>): Map<string, Name> {
  const events = [...outputs].flatMap(([name, output]) => begun(output).map(event => ({ ...event, name })))
  const sorted = events.sort((a, b) => (a.time < b.time ? -1 : 1))
  return new Map(sorted.map(({ partition, name }) => [partition, name]))
}
