import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from './eventually.ts'
import { FaultyCli } from './faulty-process.ts'
import type { FireTopic } from './fire-load.ts'
import { assertNoAlarm, logged } from './log-lines.ts'
import type { Dice } from './seed.ts'
import type { BackupFireOptions } from './backup-under-fire.ts'

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

/** Workers that are killed and started again, and a last one that is not. */
export class BackupFire {
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
  await eventually('the worker uploads', hasUploaded, { timeoutMs: 180_000 })
  await sleep(delayMs)
  worker.process.kill('SIGKILL')
}

async function over(worker: FaultyCli, aim: Aim): Promise<void> {
  const isOver = () => worker.process.exitCode !== null || worker.process.signalCode !== null
  await eventually(`a kill ${aim}`, isOver, { timeoutMs: 180_000 }).catch((error: unknown) => {
    throw new Error(`the kill never came; the worker had said:\n${worker.output}`, { cause: error })
  })
}

function shuffled<T>(items: readonly T[], dice: Dice): T[] {
  return items
    .map(item => ({ item, rank: dice.number() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
