import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { newLimit } from '../../src/runtime/limit.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { manyFiles } from '../helpers/many-files.ts'
import { measuredCli } from '../helpers/measured-cli.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { openBucket, s3Environment } from '../helpers/shared-s3.ts'
import { prepareServers } from '../servers/prepare.ts'
import { writeResults } from './write-results.ts'

/**
 * `make scale-plan`: a backup of many files is planned, and planned again when nothing is new; one in a folder, and a smaller one
 * behind an S3 server, of which the headers per second are printed. Fails when a limit is broken. Writes
 * test/torture/results/scale-plan.json.
 */
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '100000' },
    's3-files': { type: 'string', default: '5000' },
    topics: { type: 'string', default: '20' },
    partitions: { type: 'string', default: '10' },
  },
})
/** For 100,000 files. */
const LIMITS = { planSeconds: 60, planMB: 300, againMB: 300 }

prepareServers(line => console.log(line))
const folder = await mkdtemp(join(tmpdir(), 'maxbrod-scale-plan-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
await using kafka = await Kafka.start({ heapMiB: 768 })
const figures: Record<string, number> = {}
const note = (name: string, value: number) => console.log(`${name.padEnd(24)} ${(figures[name] = value)}`)

const backup = (files: number) => manyFiles(files, Number(values.topics), Number(values.partitions))

{
  const files = Number(values.files)
  for (const { key, bytes } of backup(files)) {
    const path = join(folder, 'backup', key)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  note('files', files)
  const flags = [`--storage=file://${folder}/backup`, '--plan-topic=plan', '--target-prefix=r.']
  const first = await plan(flags, files)
  note('planSeconds', first.seconds)
  note('planCpuSeconds', first.cpuSeconds)
  note('planMB', first.peakMB)
  const again = await plan(flags, 0)
  note('againSeconds', again.seconds)
  note('againCpuSeconds', again.cpuSeconds)
  note('againMB', again.peakMB)
}
if (Number(values['s3-files']) > 0) {
  const files = Number(values['s3-files'])
  await using s3 = await S3Proxy.start({ heapMiB: 768 })
  Object.assign(process.env, s3Environment(s3))
  await using bucket = await openBucket(s3.endpoint, s3.credentials)
  const store = openS3Store(bucket.options)
  const limit = newLimit(32)
  await Promise.all([...backup(files)].map(({ key, bytes }) => limit(() => store.put(key, bodyOf(bytes), {}))))
  store.close()
  note('s3Files', files)
  const flags = [
    `--storage=${bucket.url()}`,
    `--s3-endpoint=${bucket.endpoint}`,
    '--plan-topic=s3',
    '--target-prefix=s.',
  ]
  const { seconds, cpuSeconds, peakMB } = await plan(flags, files, s3Environment(s3))
  note('s3PlanSeconds', seconds)
  // Of the planner alone: what is left of the two cores belongs to the S3 server beside it.
  note('s3PlanCpuSeconds', cpuSeconds)
  note('s3PlanMB', peakMB)
  note('s3HeadersPerSecond', Math.round(files / seconds))
}
const isWhole = Number(values.files) >= 100_000
const broken = Object.entries(LIMITS).filter(([name, limit]) => isWhole && !(figures[name]! <= limit))
for (const [name, limit] of broken)
  console.log(`FAILED: ${name} is ${figures[name]}, and must not be more than ${limit}`)
// Of a machine with other work to do, only the seconds of its processors say something.
const loadAverage = loadavg()[1]!
const isLoaded = loadAverage > 2 * cpus().length
writeResults('scale-plan.json', { limits: LIMITS, loadAverage, isLoaded, figures })
if (broken.length > 0) process.exitCode = 1

/** Runs the real command; it must plan so many files. */
async function plan(flags: readonly string[], files: number, env: Readonly<Record<string, string>> = {}) {
  const argv = ['plan', '--create-topics', '--output=json', `--bootstrap-server=${kafka.bootstrap}`, ...flags]
  const { exit, stdout, stderr, ...cost } = await measuredCli(argv, env)
  const { filesAdded } = exit === 0 ? (JSON.parse(stdout) as { filesAdded: number }) : { filesAdded: undefined }
  if (filesAdded !== files)
    throw new Error(`the planner ended with ${exit} and ${filesAdded} files:\n${stderr.slice(-2_000)}`)
  return cost
}
