import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import type { PlanEntry, PlanFile, PlanHead } from '../../src/format/plan.ts'
import { decodePlanEntry } from '../../src/format/plan-records.ts'
import type { TileHeader } from '../../src/format/tile-header.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { plainRecords } from './data-file.ts'
import type { CommandResult } from './in-process.ts'
import { runCommand } from './in-process.ts'
import { openClient } from './kafka-client.ts'
import { putTile } from './put-tile.ts'
import type { PutTile } from './put-tile.ts'
import type { TopicOptions } from './referee-types.ts'
import type { World } from './world.ts'
import { openWorld } from './world.ts'

/** An entry of a plan topic, and where it stands. */
export interface PlanPlace {
  readonly partition: number
  readonly offset: number
  readonly entry: PlanEntry
}

/**
 * A backup in a folder, a plan topic, and the real commands that fill the one from the other: with names that belong to one
 * test. `await using scene = await openRestoreScene(t)`.
 */
export class RestoreScene implements AsyncDisposable {
  readonly world: World
  readonly store: ObjectStore
  readonly planTopic: string
  /** Where the backup lies, as a path. */
  readonly folder: string

  constructor(world: World) {
    this.world = world
    this.folder = join(world.folder, 'backup')
    this.store = openDirectoryStore(this.folder)
    this.planTopic = world.name('plan')
  }

  /** What every command takes. */
  get common(): string[] {
    return [`--bootstrap-server=${this.world.bootstrap}`, `--storage=file://${this.folder}`]
  }

  /** A source topic with so many records in each partition. */
  async source(word: string, records: number, { partitions = 1, ...more }: TopicOptions = {}): Promise<string> {
    const topic = this.world.name(word)
    await this.world.referee.createTopic(topic, { partitions, ...more })
    await this.write(topic, records, partitions)
    return topic
  }

  /** So many further records in each partition; of the size of small orders, and as old as those of a real restore. */
  async write(topic: string, records: number, partitions = 1): Promise<void> {
    if (records === 0) return
    const thirtyDaysMs = 30 * 24 * 3_600_000
    const options = {
      partitions,
      records: records * partitions,
      isEven: true,
      timestampFrom: Date.now() - thirtyDaysMs,
    }
    await this.world.referee.generate(topic, { ...options, seed: this.world.dice.between(1, 1_000_000) })
  }

  /** One more file for each partition that has new records. */
  async backUp(...topics: readonly string[]): Promise<void> {
    const { world } = this
    const own = [`--working-dir=${world.folder}/work`, `--group-id=${world.name('backup')}`, '--metrics-port=0']
    const selection = topics.flatMap(topic => ['--topics', topic])
    ok(await runCommand(['backup', '--once', '--flush-port=0', ...selection, ...own, ...this.common]))
  }

  /** Puts files of plain records into the backup: from each offset to the next one. */
  async putFiles(
    topic: string,
    partition: number,
    borders: readonly number[],
    more: Partial<TileHeader> = {},
    lineage?: number,
  ): Promise<PutTile[]> {
    const place = { topic, topicId: undefined, partition, lineage }
    const files: PutTile[] = []
    for (const [n, from] of borders.slice(0, -1).entries()) {
      const to = borders[n + 1]!
      const blocks = to > from ? [recordsOf(to - from, from, lineage)] : []
      files.push(await putTile(this.store, place, { from, to }, blocks, undefined, more))
    }
    return files
  }

  planArgv(flags: readonly string[], planTopic = this.planTopic): string[] {
    return ['plan', `--plan-topic=${planTopic}`, ...flags, ...this.common]
  }

  restoreArgv(flags: readonly string[]): string[] {
    const own = [`--plan-topic=${this.planTopic}`, '--metrics-port=0', '--session-timeout=3s', '--memory=32MiB']
    return ['restore', ...own, ...flags, ...this.common]
  }

  plan(flags: readonly string[], ports?: (real: Ports) => Ports): Promise<CommandResult> {
    return runCommand(this.planArgv(flags), ports)
  }

  /** `restore --exit-when-done`. */
  restore(flags: readonly string[] = [], ports?: (real: Ports) => Ports): Promise<CommandResult> {
    return runCommand(this.restoreArgv(['--exit-when-done', ...flags]), ports)
  }

  /** All entries of the plan topic, by partition and offset, whoever wrote them. */
  async entries(planTopic = this.planTopic): Promise<PlanPlace[]> {
    await using kafka = openClient(this.world.bootstrap)
    const [found] = await kafka.admin.topics([planTopic])
    const partitions = Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({
      topic: planTopic,
      partition,
    }))
    const { offsets } = await kafka.admin.offsets('high watermark', partitions)
    const places: PlanPlace[] = []
    const { signal } = new AbortController()
    for (const { topic, partition } of partitions) {
      const end = offsets.get({ topic, partition }) ?? 0
      for await (const { offset, value } of kafka.readRecords({ topic, partition }, 0, end, signal))
        places.push({ partition, offset, entry: decodePlanEntry(value) })
    }
    return places
  }

  async files(planTopic?: string): Promise<PlanFile[]> {
    return (await this.entries(planTopic)).flatMap(({ entry }) => (entry.kind === 'file' ? [entry] : []))
  }

  async heads(planTopic?: string): Promise<PlanHead[]> {
    return (await this.entries(planTopic)).flatMap(({ entry }) => (entry.kind === 'head' ? [entry] : []))
  }

  /** Demands that a restored topic is record for record what its source is. */
  async assertSame(source: string, copy: string): Promise<void> {
    const { referee } = this.world
    const [wanted, actual] = await Promise.all([referee.read(source), referee.read(copy, { restored: true })])
    const plain = (read: typeof wanted) =>
      read.map(({ partition, records, digest }) => ({ partition, records, digest }))
    assert.deepEqual(plain(actual), plain(wanted))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.close()
    await this.world[Symbol.asyncDispose]()
  }
}

export async function openRestoreScene(t: TestContext): Promise<RestoreScene> {
  return new RestoreScene(await openWorld(t))
}

/** The result of a command that ended with exit code 0. */
export function ok(result: CommandResult): CommandResult {
  assert.equal(result.exit, 0, result.stderr)
  return result
}

/** Demands that a command ended with an error, and what it said: code, words of its message, and its hint. */
export function refused(
  result: CommandResult,
  exit: number,
  code: string,
  ...words: readonly (string | RegExp)[]
): void {
  assert.equal(result.exit, exit, `exit code ${result.exit} instead of ${exit}:\n${result.stderr}`)
  const { error } = result.json as { error?: { code: string; message: string; hint?: string } }
  assert.equal(error?.code, code, result.stderr)
  const said = `${error?.message} · ${error?.hint}`
  for (const word of words) {
    const isSaid = typeof word === 'string' ? said.includes(word) : word.test(said)
    assert.ok(isSaid, `${JSON.stringify(String(word))} is not in: ${said}`)
  }
}

/** Records of a lineage are others than those that were at their offsets before. */
function recordsOf(count: number, from: number, lineage: number | undefined) {
  const records = plainRecords(count, from)
  return lineage === undefined ? records : records.map(record => ({ ...record, key: Buffer.from(`epoch ${lineage}`) }))
}
