import { AckedLedger } from './acked-ledger.ts'
import type { LedgerTopic } from './acked-ledger.ts'
import { FaultyCli } from './faulty-process.ts'
import type { Referee } from './referee.ts'
import type { Dice } from './seed.ts'
import type { TestBucket } from './shared-s3.ts'

export interface SceneOptions {
  readonly bootstrap: string
  readonly referee: Referee
  /** Where all is restored to; the same cluster if none is given. */
  readonly target?: { readonly bootstrap: string; readonly referee: Referee } | undefined
  readonly bucket: TestBucket
  /** For the workers' folders. */
  readonly folder: string
  /** Behind every name. */
  readonly suffix: string
  readonly dice: Dice
}

/** Shorter than in real life, so that a SIGSTOP can outlast it. */
export const sessionMs = 3_000

/** Topics that producers go on writing to, and workers of one group that back them up into one bucket. */
export class FailpointScene implements AsyncDisposable {
  readonly topics: readonly LedgerTopic[]
  readonly ledger: AckedLedger
  readonly options: SceneOptions
  readonly #running = new Set<FaultyCli>()

  private constructor(options: SceneOptions) {
    const { referee, suffix, dice } = options
    this.options = options
    this.topics = [
      { name: `orders-${suffix}`, partitions: 4, isTransactional: false },
      { name: `payments-${suffix}`, partitions: 2, isTransactional: true },
    ]
    this.ledger = new AckedLedger(referee, this.topics, suffix, dice)
  }

  static async open(options: SceneOptions): Promise<FailpointScene> {
    const scene = new FailpointScene(options)
    for (const { name, partitions } of scene.topics) await options.referee.createTopic(name, { partitions })
    await scene.ledger.start()
    return scene
  }

  start(name: string, faults: readonly string[], flags: readonly string[]): FaultyCli {
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION = 'us-east-1' } = process.env
    const env = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION }
    const worker = new FaultyCli(this.argv(name, flags), faults, { env })
    this.#running.add(worker)
    void worker.result.then(() => this.#running.delete(worker))
    return worker
  }

  get group(): string {
    return `backup-${this.options.suffix}`
  }

  argv(name: string, flags: readonly string[]): string[] {
    const { bootstrap, bucket } = this.options
    const isOwn = flags.some(flag => flag === '--once' || flag.startsWith('--max-file-age'))
    const age = isOwn ? [] : ['--max-file-age=300ms']
    return [
      'backup',
      `--bootstrap-server=${bootstrap}`,
      `--storage=${bucket.url()}`,
      `--s3-endpoint=${bucket.endpoint}`,
      `--group-id=${this.group}`,
      `--session-timeout=${sessionMs}ms`,
      `--working-dir=${this.workingDir(name)}`,
      ...this.topics.map(topic => `--topics=${topic.name}`),
      '--metrics-port=0',
      '--flush-port=0',
      ...age,
      ...flags,
    ]
  }

  workingDir(name: string): string {
    return `${this.options.folder}/${name}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#running) worker.process.kill('SIGKILL')
    await Promise.all([...this.#running].map(worker => worker.result))
    await this.ledger.end()
  }
}
