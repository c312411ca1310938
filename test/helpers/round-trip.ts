import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import type { CommandResult } from './in-process.ts'
import { runCommand } from './in-process.ts'
import type { CanonicalRecord } from './records.ts'
import { canonicalBytes } from './records.ts'
import type { PartitionRead } from './referee-types.ts'
import type { StoredPartition } from './stored-backup.ts'
import { partitionsOf, readBackup } from './stored-backup.ts'
import type { World } from './world.ts'

/** Backup, plan and restore of one archive, by the real commands. Each must end well, unless a test says how else. */
export class RoundTrip {
  readonly storage: string
  readonly planTopic: string
  readonly #world: World
  readonly #common: readonly string[]
  readonly #run: (argv: readonly string[]) => Promise<CommandResult>
  #workers = 0

  constructor(
    world: World,
    {
      storage = `file://${world.folder}/backup`,
      name = 'plan',
      run = runCommand,
    }: {
      readonly storage?: string
      /** Restores of one archive beside each other need names of their own. */
      readonly name?: string
      readonly run?: (argv: readonly string[]) => Promise<CommandResult>
    } = {},
  ) {
    this.#world = world
    this.#run = run
    this.storage = storage
    this.planTopic = world.name(name)
    this.#common = [`--bootstrap-server=${world.bootstrap}`, `--storage=${storage}`]
  }

  /** The name of the topic that a source is restored into. */
  target(topic: string): string {
    return `restored.${topic}`
  }

  /** Everything that is there now, by a worker with a group and a folder of its own. */
  backUp(topics: readonly string[], ...flags: string[]): Promise<CommandResult> {
    const worker = this.#world.name(`worker-${this.#workers++}`)
    const own = [`--group-id=${worker}`, `--working-dir=${this.#world.folder}/${worker}`]
    const selection = topics.map(topic => `--topics=${topic.replaceAll('.', String.raw`\.`)}`)
    return this.#succeed(['backup', '--once', '--metrics-port=0', '--flush-port=0', ...selection, ...own, ...flags])
  }

  /** Into topics that are created like their sources, with names as `target` says. */
  plan(...flags: string[]): Promise<CommandResult> {
    const naming = ['--create-topics', '--target-prefix=restored.']
    return this.#succeed(['plan', `--plan-topic=${this.planTopic}`, ...naming, ...flags])
  }

  restore(...flags: string[]): Promise<CommandResult> {
    return this.#succeed(this.restoreCommand(...flags))
  }

  /** For who wants to see it fail, or to run it elsewhere. */
  restoreCommand(...flags: string[]): string[] {
    const executor = ['--exit-when-done', '--metrics-port=0', '--session-timeout=6s', `--plan-topic=${this.planTopic}`]
    return ['restore', ...executor, ...flags, ...this.#common]
  }

  async #succeed(argv: readonly string[]): Promise<CommandResult> {
    const result = await this.#run(argv.includes(this.#common[0]!) ? argv : [...argv, ...this.#common])
    assert.equal(result.exit, 0, result.stderr)
    assert.equal(result.json['result'], 'ok', result.stdout)
    return result
  }
}

/**
 * Compares record by record what any consumer reads: the copy differs by one more header, the last one, and by its own
 * offsets, which begin at 0 and have no gaps. Returns how many records there are.
 */
export async function assertSameRecords({ referee }: World, source: string, target: string): Promise<number> {
  const [original, copy] = await Promise.all([referee.records(source), referee.records(target)])
  const places = new Map<number | undefined, number>()
  const expected = original.map((record): CanonicalRecord => {
    const place = places.get(record.partition) ?? 0
    places.set(record.partition, place + 1)
    const added = [canonicalBytes('restore.source-offset'), canonicalBytes(record.offset)] as const
    return { ...record, offset: `${place}`, timestampType: 'CreateTime', headers: [...record.headers, added] }
  })
  for (const [n, record] of expected.entries()) assert.deepEqual(copy[n], record)
  assert.equal(copy.length, original.length)
  return original.length
}

/** The same for topics of many records, by digests. Returns what was read of the source. */
export async function assertSameDigests({ referee }: World, source: string, target: string): Promise<PartitionRead[]> {
  const original = await referee.read(source)
  // Uncommitted: there must be nothing else in the copy, not even what readers pass over.
  const copy = await referee.read(target, { restored: true, isolation: 'read_uncommitted' })
  assert.deepEqual(
    copy.map(({ partition, start, end, digest, strays }) => ({ partition, start, end, digest, strays })),
    original.map(({ partition, records, digest }) => ({ partition, start: '0', end: `${records}`, digest, strays: 0 })),
  )
  return original
}

/**
 * What an independent reader finds in the files: each opens, they tile the whole log to its last stable offset, and hold
 * what consumers read there. Returns the partitions of the topics, one behind the other.
 */
export async function assertBackedUp(
  { referee }: World,
  { storage }: RoundTrip,
  topics: readonly string[],
  store: ObjectStore = openDirectoryStore(fileURLToPath(storage)),
): Promise<StoredPartition[]> {
  const backup = await readBackup(store)
  const found: StoredPartition[] = []
  for (const topic of topics) {
    const [source, offsets] = await Promise.all([referee.read(topic), referee.offsets(topic)])
    const partitions = partitionsOf(backup, topic)
    const holding = offsets.filter(({ start, lastStable }) => lastStable !== start)
    assert.deepEqual(
      partitions.map(({ folder, from, to, digest }) => ({ folder, from, to, digest })),
      holding.map(({ partition, start, lastStable }) => ({
        folder: `${topic}/${partition}`,
        from: Number(start),
        to: Number(lastStable),
        digest: source[partition]!.digest,
      })),
    )
    found.push(...partitions)
  }
  return found
}
