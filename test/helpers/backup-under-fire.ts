import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openS3Store } from '../../src/storage/s3.ts'
import { proveByCatalog } from './catalog-proof.ts'
import { eventually } from './eventually.ts'
import { FaultyCli } from './faulty-process.ts'
import { FireLoad } from './fire-load.ts'
import type { FireTopic } from './fire-load.ts'
import { runCommand } from './in-process.ts'
import { assertNoAlarm, logged } from './log-lines.ts'
import type { Referee } from './referee.ts'
import type { PartitionRead } from './referee-types.ts'
import { Dice } from './seed.ts'
import type { TestBucket } from './shared-s3.ts'
import { partitionsOf, readBackup } from './stored-backup.ts'

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

/** Where a kill hits: at any moment, or around what must not be torn apart, of whichever partition the worker has. */
const aims = {
  'at any moment': undefined,
  'between PUT and commit': (suffix: string, call: number) => `store.put~-${suffix}/:after:${call}:kill`,
  'before a PUT': (suffix: string, call: number) => `store.put~-${suffix}/:before:${call}:kill`,
  'before a commit': (suffix: string, call: number) => `kafka.commit~-${suffix}-:before:${call}:kill`,
  'behind a commit': (suffix: string, call: number) => `kafka.commit~-${suffix}-:after:${call}:kill`,
  'behind a write to the spool': (_: string, call: number) => `disk.append:after:${call}:kill`,
} as const
type Aim = keyof typeof aims

interface Kill {
  readonly aim: Aim
  /** The worker finds its folder empty when it starts again. */
  readonly isWiped: boolean
  readonly fault: string | undefined
  /** From the first upload to a kill at any moment. */
  readonly delayMs: number
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

class BackupFire {
  readonly kills: string[] = []
  readonly #options: BackupFireOptions
  readonly #topics: readonly FireTopic[]
  readonly #plan: Kill[]
  readonly #running = new Set<FaultyCli>()

  constructor(options: BackupFireOptions, topics: readonly FireTopic[], dice: Dice) {
    this.#options = options
    this.#topics = topics
    const kinds = Object.keys(aims) as Aim[]
    const chosen = Array.from({ length: options.kills }, (_, n) => kinds[n] ?? dice.pick(kinds))
    const wiped = shuffled(
      chosen.map((_, n) => n < options.wipes),
      dice,
    )
    this.#plan = shuffled(chosen, dice).map((aim, n) => ({
      aim,
      isWiped: wiped[n]!,
      fault: aims[aim]?.(options.suffix, dice.between(1, 3)),
      delayMs: dice.between(0, 1_000),
    }))
  }

  /** All kills, as many workers at a time as there are. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.workers }, (_, n) => this.#runWorker(n)))
  }

  /** Takes what is left. */
  async lastWorker(): Promise<void> {
    const argv = [...this.#argv('last'), '--once', '--output=json']
    const { exit, stdout, stderr } = await this.#start(argv, []).result
    assert.equal(exit, 0, stderr.slice(-4_000))
    assertNoAlarm(stderr)
    assert.equal((JSON.parse(stdout) as { result: string }).result, 'ok')
  }

  async end(): Promise<void> {
    for (const worker of this.#running) worker.process.kill('SIGKILL')
    await Promise.all([...this.#running].map(worker => worker.result))
  }

  async #runWorker(n: number): Promise<void> {
    for (let next = this.#plan.shift(); next !== undefined; next = this.#plan.shift()) {
      const { aim, fault, isWiped, delayMs } = next
      const argv = [...this.#argv(`worker-${n}`), `--max-rate=${this.#options.maxRate}`, '--max-file-age=500ms']
      const worker = this.#start(argv, fault === undefined ? [] : [fault])
      if (fault === undefined) await killAtAnyMoment(worker, delayMs)
      await over(worker, aim)
      const { exit, stdout, stderr } = await worker.result
      assert.equal(exit, 'SIGKILL', stdout + stderr)
      assertNoAlarm(stdout)
      worker.assertAllFired()
      const behind = await this.#behind()
      assert.ok(behind > 0, `a kill ${aim} when all was backed up`)
      this.kills.push(`${aim}${isWiped ? ' with its disk' : ''}, ${behind} behind`)
      if (isWiped) await rm(this.#workingDir(`worker-${n}`), { recursive: true })
    }
  }

  #start(argv: readonly string[], faults: readonly string[]): FaultyCli {
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION = 'us-east-1' } = process.env
    const worker = new FaultyCli(argv, faults, { env: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } })
    this.#running.add(worker)
    void worker.result.then(() => this.#running.delete(worker))
    return worker
  }

  #argv(worker: string): string[] {
    const { bucket, bootstrap, suffix } = this.#options
    const store = [`--storage=${bucket.url()}`, `--s3-endpoint=${bucket.endpoint}`]
    const group = [`--group-id=backup-${suffix}`, '--session-timeout=6s', `--working-dir=${this.#workingDir(worker)}`]
    const topics = this.#topics.map(({ name }) => `--topics=${name}`)
    const ports = ['--metrics-port=0', '--flush-port=0']
    return ['backup', `--bootstrap-server=${bootstrap}`, ...store, ...group, ...topics, ...ports]
  }

  #workingDir(worker: string): string {
    return `${this.#options.folder}/${worker}`
  }

  /** Offsets that are in Kafka and not committed by the group. */
  async #behind(): Promise<number> {
    const { referee, suffix } = this.#options
    const committed = await referee.groupOffsets(`backup-${suffix}`)
    let behind = 0
    for (const { name } of this.#topics) {
      for (const { partition, end } of await referee.offsets(name)) {
        const commit = committed.find(one => one.topic === name && one.partition === partition)
        behind += Number(end) - Number(commit?.offset ?? 0)
      }
    }
    return behind
  }
}

/** Once it has something to lose. */
async function killAtAnyMoment(worker: FaultyCli, delayMs: number): Promise<void> {
  const hasUploaded = () => logged(worker.output, 'uploaded').length > 0
  await eventually('the worker uploads', hasUploaded, { timeoutMs: 90_000 })
  await sleep(delayMs)
  worker.process.kill('SIGKILL')
}

async function over(worker: FaultyCli, aim: Aim): Promise<void> {
  const isOver = () => worker.process.exitCode !== null || worker.process.signalCode !== null
  await eventually(`a kill ${aim}`, isOver, { timeoutMs: 90_000 }).catch((error: unknown) => {
    throw new Error(`the kill never came; the worker had said:\n${worker.output}`, { cause: error })
  })
}

function shuffled<T>(items: readonly T[], dice: Dice): T[] {
  return items
    .map(item => ({ item, rank: dice.number() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
