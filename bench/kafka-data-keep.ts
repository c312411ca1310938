import { readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DataSet } from './load.ts'
import type { BesideResult, Servers } from './scenarios.ts'
import type { Taken } from './watched.ts'
import { Watched } from './watched.ts'

/** So long nothing happens before the rest is asked for; not counted. Where an upload takes longer, that errs in its favour. */
const QUIET_MS = 500
const PLAN_PARTITIONS = 8

/**
 * The same work by kafka-data-keep, with its own defaults: whoever has a binary of it can measure both in one run. It never ends by
 * itself, so each figure is read when the cluster or the bucket shows that all records have arrived.
 */
export class KafkaDataKeep {
  readonly #binary: string
  readonly #servers: Servers
  readonly #data: DataSet

  constructor(binary: string, servers: Servers, data: DataSet) {
    this.#binary = binary
    this.#servers = servers
    this.#data = data
  }

  /** Until every record is in an uploaded file and committed. What is left below its file size waits for SIGUSR1. */
  async backup(run: number): Promise<BesideResult> {
    const { topic, records } = this.#data
    const workingDir = await mkdtemp(join(tmpdir(), 'kafka-data-keep-bench-'))
    const group = `beside-${topic}-${run}`
    const args = ['-topics-regex', `^${topic}$`, '-group-id', group, '-working-dir', workingDir]
    try {
      await using program = this.#start('topics-backup', [...args, '-s3-prefix', this.#prefix(run)])
      let seen = ''
      let seenAt = performance.now()
      const taken = await program.until(async () => {
        const committed = await this.#committed(group)
        const now = `${committed} ${listing(workingDir)}`
        const quietMs = performance.now() - seenAt
        if (now !== seen) {
          seen = now
          seenAt = performance.now()
        } else if (quietMs >= QUIET_MS && listing(workingDir) !== '') {
          program.forgive(performance.now() - seenAt)
          program.signal('SIGUSR1')
          seenAt = performance.now()
        }
        return committed === records
      })
      return this.#result(taken, run)
    } finally {
      await rm(workingDir, { recursive: true, force: true })
    }
  }

  /** Of one of the backups, until the ends of a new topic show every record; planning is not measured. */
  async restore(run: number, backup: number): Promise<BesideResult> {
    const { topic, records, partitions } = this.#data
    const plan = ['-plan-topic', `beside-plan-${topic}-${run}`]
    const restored = `beside-${run}-`
    await this.#create(plan[1] ?? '', PLAN_PARTITIONS)
    await this.#create(`${restored}${topic}`, partitions)
    {
      const args = [...plan, '-restore-topics-regex', `^${topic}$`, '-s3-prefix', this.#prefix(backup)]
      await using planner = this.#start('topics-plan-restore', args)
      const { objects } = this.#stored(backup)
      await planner.until(async () => (await this.#ends(plan[1] ?? '', PLAN_PARTITIONS)) === objects)
    }
    const args = [...plan, '-group-id', `beside-restore-${topic}-${run}`, '-restore-topic-prefix', restored]
    await using program = this.#start('topics-restore', args)
    const taken = await program.until(async () => (await this.#ends(`${restored}${topic}`, partitions)) === records)
    return this.#result(taken, backup)
  }

  #start(command: string, args: readonly string[]): Watched {
    const { broker, s3 } = this.#servers
    const where = [
      '-brokers',
      broker.bootstrap,
      '-s3-bucket',
      'bench',
      '-s3-endpoint',
      s3.endpoint,
      '-s3-region',
      'us-east-1',
    ]
    const quiet = ['-metrics-port', '0', '-log-level', 'WARN', '-kgo-log-level', 'WARN']
    const env = { AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey }
    return Watched.start(this.#binary, [command, ...where, ...quiet, ...args], env)
  }

  #prefix(run: number): string {
    return `beside-${run}`
  }

  async #create(name: string, partitions: number): Promise<void> {
    const configs = new Map([['retention.ms', '-1']])
    await this.#servers.kafka.admin.createTopic({ name, partitions, replicationFactor: 1, configs })
  }

  async #committed(group: string): Promise<number> {
    const { topic, partitions } = this.#data
    const committed = await this.#servers.kafka.admin.committed(group, all(topic, partitions))
    return committed.values().reduce((sum, { offset }) => sum + offset, 0)
  }

  async #ends(topic: string, partitions: number): Promise<number> {
    const { offsets } = await this.#servers.kafka.admin.offsets('high watermark', all(topic, partitions))
    return offsets.values().reduce((sum, offset) => sum + offset, 0)
  }

  #stored(run: number): { objects: number; objectBytes: number } {
    const sizes = filesOf(join(this.#servers.s3.folder, 'bench', this.#prefix(run), this.#data.topic)).map(
      ({ size }) => size,
    )
    return { objects: sizes.length, objectBytes: sizes.reduce((sum, size) => sum + size, 0) }
  }

  #result(taken: Taken, run: number): BesideResult {
    return { ...taken, recordsPerSecond: this.#data.records / taken.wallSeconds, ...this.#stored(run) }
  }
}

function all(topic: string, partitions: number): { topic: string; partition: number }[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}

/** Changes whenever a file does; empty without files. */
function listing(folder: string): string {
  return filesOf(folder)
    .map(({ path, size }) => `${path} ${size}`)
    .join('\n')
}

function filesOf(folder: string): { path: string; size: number }[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return entries.flatMap(entry => {
    const path = join(entry.parentPath, entry.name)
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats === undefined ? [] : [{ path, size: stats.size }]
  })
}
