import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kafka } from '../src/kafka/port.ts'
import type { Kafka as Broker } from '../test/helpers/kafka-broker.ts'
import { newAgeKey } from '../test/helpers/age-keys.ts'
import type { S3Proxy } from '../test/helpers/s3proxy.ts'
import { measure } from './measure.ts'
import type { Measured } from './measure.ts'
import type { DataSet } from './load.ts'

export interface Servers {
  readonly broker: Broker
  readonly s3: S3Proxy
  readonly kafka: Kafka
}

export interface RunResult extends Omit<Measured, 'stdout'> {
  readonly recordsPerSecond: number
  /** Bytes of objects written or read. */
  readonly objectBytes: number
  readonly objects: number
  /** Requests to the object store per GB of payload; providers charge by the request. */
  readonly requestsPerGb: number
}

/** Of another program, which does not tell its requests. */
export type BesideResult = Omit<RunResult, 'requestsPerGb'>

/** Of the document that each command prints. */
interface Done {
  readonly storage: { readonly requests: Readonly<Record<string, number>> }
}

const root = join(import.meta.dirname, '..')
/** As bin/maxbrod starts it, but the compiled program: what is measured is what is shipped. */
const program = [
  '--initial-old-space-size=128',
  '--require',
  join(root, 'bin/take-sigusr1.cjs'),
  join(root, 'dist/cli.js'),
]

const key = newAgeKey()

/** The secret key, for as long as a restore takes. */
function identityFile(): Disposable & { readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-bench-key-'))
  const path = join(folder, 'key')
  writeFileSync(path, key.identityText, { mode: 0o600 })
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

/** One backup of the whole topic into a prefix of its own. */
export async function runBackup(servers: Servers, data: DataSet, run: number): Promise<RunResult> {
  const workingDir = await mkdtemp(join(tmpdir(), 'maxbrod-bench-'))
  try {
    const args = [
      'backup',
      '--once',
      '--topics',
      data.topic,
      '--group-id',
      `${data.topic}-${run}`,
      '--working-dir',
      workingDir,
      '--metrics-port',
      '0',
      '--flush-port',
      '0',
      ...where(servers, data, run),
      ...(data.isEncrypted === true ? ['--encrypt-to', key.recipientText] : []),
    ]
    const measured = await maxbrod(servers, args)
    const result = JSON.parse(measured.stdout) as Done & { records: number; bytes: number; files: number }
    if (result.records !== data.records) throw new Error(`${result.records} of ${data.records} records were backed up`)
    return runResult(measured, data, result.bytes, result.files, result)
  } finally {
    await rm(workingDir, { recursive: true, force: true })
  }
}

/** One restore of one of the backups, into a new topic; planning is not measured. */
export async function runRestore(servers: Servers, data: DataSet, run: number, backup: number): Promise<RunResult> {
  const { topic, records } = data
  const planTopic = `plan-${topic}-${run}`
  using identity = data.isEncrypted === true ? identityFile() : undefined
  const opening = identity === undefined ? [] : ['--identity', identity.path]
  const storage = [...where(servers, data, backup), ...opening]
  const planned = await maxbrod(servers, [
    'plan',
    '--create-topics',
    '--plan-topic',
    planTopic,
    '--rename',
    `${topic}=${topic}-restored-${run}`,
    ...storage,
  ])
  const plan = JSON.parse(planned.stdout) as { topics: { bytes: number; files: number }[] }
  const measured = await maxbrod(servers, [
    'restore',
    '--exit-when-done',
    '--plan-topic',
    planTopic,
    '--metrics-port',
    '0',
    ...storage,
  ])
  const result = JSON.parse(measured.stdout) as Done & { topics: { recordsRestored: number }[] }
  if (result.topics[0]?.recordsRestored !== records)
    throw new Error(`${result.topics[0]?.recordsRestored} of ${records} records were restored`)
  return runResult(measured, data, plan.topics[0]?.bytes ?? 0, plan.topics[0]?.files ?? 0, result)
}

/** What every command of a scenario is told of its servers. */
export function where({ broker, s3 }: Servers, { topic }: DataSet, run: number): string[] {
  return [
    '--bootstrap-server',
    broker.bootstrap,
    '--storage',
    `s3://bench/${topic}/${run}`,
    '--s3-endpoint',
    s3.endpoint,
    '--s3-region',
    'us-east-1',
    '-o',
    'json',
    '--log-level',
    'warn',
  ]
}

export function maxbrod({ s3 }: Servers, args: readonly string[]): Promise<Measured> {
  const env = { AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey }
  return measure(process.execPath, [...program, ...args], env)
}

function runResult(
  measured: Measured,
  { records, valueBytes }: DataSet,
  objectBytes: number,
  objects: number,
  { storage }: Done,
): RunResult {
  const { wallSeconds, userSeconds, systemSeconds, cpuSeconds, peakRssMiB } = measured
  const recordsPerSecond = records / wallSeconds
  const requests = Object.values(storage.requests).reduce((sum, count) => sum + count, 0)
  const requestsPerGb = (requests * 1e9) / (records * valueBytes)
  return {
    wallSeconds,
    userSeconds,
    systemSeconds,
    cpuSeconds,
    peakRssMiB,
    recordsPerSecond,
    objectBytes,
    objects,
    requestsPerGb,
  }
}
