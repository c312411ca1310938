import assert from 'node:assert/strict'
import { openS3Store } from '../../src/storage/s3.ts'
import { proveByCatalog } from './catalog-proof.ts'
import { FireLoad } from './fire-load.ts'
import type { FireTopic } from './fire-load.ts'
import { runCommand } from './in-process.ts'
import type { Referee } from './referee.ts'
import type { PartitionRead } from './referee-types.ts'
import { Dice } from './seed.ts'
import type { TestBucket } from './shared-s3.ts'
import { partitionsOf, readBackup } from './stored-backup.ts'
import { BackupFire } from './backup-kills.ts'

/** A backup that is shot at, and what is shot at it. */
export interface BackupFireOptions {
  readonly name: string
  readonly seed: string
  readonly bootstrap: string
  readonly referee: Referee
  readonly bucket: TestBucket
  /** For the workers' folders. */
  readonly folder: string
  /** Behind every name. */
  readonly suffix: string
  /** What is there when the backup begins; producers add more until the last kill. */
  readonly records: number
  readonly workers: number
  /** SIGKILLs of a worker, which is started again: each of `aims` once, the others chosen of them. */
  readonly kills: number
  /** So many of the workers find their folder empty when they start again. */
  readonly wipes: number
  /** Of each worker: slow enough for the kills to hit, fast enough to end. */
  readonly maxRate: string
  readonly say: (line: string) => void
}

export interface BackupFireReport {
  readonly seconds: number
  /** Each kill, where it hit, and how many offsets were not backed up at that moment. */
  readonly kills: readonly string[]
  readonly files: number
  readonly records: number
}

/**
 * Workers of one group that die again and again while producers go on, some of them with their disk. In the end a last
 * worker takes what is left, the files tile by two proofs, nobody has raised an alarm, and a restore has exactly what the
 * referee reads in the source. Throws for everything else, and for a kill that hit nothing.
 */
export async function backupUnderFire(options: BackupFireOptions): Promise<BackupFireReport> {
  const { referee, bucket, seed, suffix, say } = options
  const startedAt = performance.now()
  const dice = new Dice(options.name, seed)
  const topics: FireTopic[] = [
    { name: `orders-${suffix}`, partitions: 5, isTransactional: false },
    { name: `payments-${suffix}`, partitions: 3, isTransactional: true },
  ]
  for (const { name, partitions } of topics) await referee.createTopic(name, { partitions })
  await FireLoad.backlog(referee, topics, options.records, dice)

  await using stack = new AsyncDisposableStack()
  const load = new FireLoad(referee, topics, dice)
  stack.defer(() => load.end())
  const fire = new BackupFire(options, topics, dice)
  stack.defer(() => fire.end())
  await fire.run()
  await load.end()
  await fire.lastWorker()

  const store = openS3Store(bucket.options)
  stack.defer(() => store.close())
  const byCatalog = await proveByCatalog(store)
  const backup = await readBackup(store)
  const source = new Map<string, PartitionRead[]>()
  for (const { name, partitions } of topics) {
    const read = await referee.read(name)
    source.set(name, read)
    const stored = partitionsOf(backup, name)
    assert.deepEqual(
      stored.map(({ digest, to }) => ({ digest, to })),
      read.map(({ digest, end }) => ({ digest, to: Number(end) })),
      `${name}: what the files hold`,
    )
    assert.equal(stored.length, partitions)
    for (const { folder, files } of stored)
      assert.deepEqual(
        byCatalog.get(`${folder}/`)?.map(({ from, to }) => [from, to]),
        files.map(({ from, to }) => [from, to]),
        folder,
      )
  }
  await restoreAndCompare(options, source)

  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const files = backup.reduce((sum, partition) => sum + partition.files.length, 0)
  const records = backup.reduce((sum, partition) => sum + partition.records.length, 0)
  say(`seed ${seed}: ${records} records in ${files} files after ${seconds} s; killed ${fire.kills.join(', ')}`)
  return { seconds, kills: fire.kills, files, records }
}

async function restoreAndCompare(
  { bucket, bootstrap, suffix, referee }: BackupFireOptions,
  source: ReadonlyMap<string, readonly PartitionRead[]>,
): Promise<void> {
  const common = [`--storage=${bucket.url()}`, `--s3-endpoint=${bucket.endpoint}`, `--bootstrap-server=${bootstrap}`]
  const plan = [`--plan-topic=plan-${suffix}`, ...common]
  for (const argv of [
    ['plan', '--target-prefix=copy.', '--create-topics', ...plan],
    ['restore', '--exit-when-done', '--metrics-port=0', ...plan],
  ]) {
    const { exit, stderr } = await runCommand(argv)
    assert.equal(exit, 0, stderr.slice(-4_000))
  }
  for (const [topic, read] of source) {
    const copy = await referee.read(`copy.${topic}`, { restored: true })
    assert.deepEqual(
      copy.map(({ partition, records, digest, strays }) => ({ partition, records, digest, strays })),
      read.map(({ partition, records, digest }) => ({ partition, records, digest, strays: 0 })),
    )
  }
}
