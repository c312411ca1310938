import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { freePorts } from '../helpers/ports.ts'
import { cpuShare, processFigures } from '../helpers/process-figures.ts'
import { Referee } from '../helpers/referee.ts'
import { prepareServers } from '../servers/prepare.ts'
import { writeResults } from './write-results.ts'

/**
 * `make scale-backup`: one worker with thousands of partitions on one broker. Says how long it takes to start, what it costs at
 * rest and under a trickle, and when it finds what is new; fails when a limit is broken. Writes test/torture/results/scale-backup.json.
 */
const { values } = parseArgs({
  options: {
    topics: { type: 'string', default: '300' },
    partitions: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '30' },
    /** A folder for CPU profiles of the worker. */
    profile: { type: 'string' },
  },
})
const topics = Number(values.topics)
const perTopic = Number(values.partitions)
const all = topics * perTopic
const LIMITS = { startSeconds: 60, restartSeconds: 60, rssMiB: 600, newTopicSeconds: 15 }
const METADATA_SECONDS = 10
const long = { timeoutMs: 300_000, everyMs: 100 }

prepareServers(line => console.log(line))
const folder = await mkdtemp(join(tmpdir(), 'maxbrod-scale-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
const quiet = { 'log.retention.check.interval.ms': 300_000, 'log.cleaner.enable': 'false' }
await using kafka = await Kafka.start({ heapMiB: 768, properties: quiet })
await using referee = Referee.start(kafka.bootstrap)

const names = Array.from({ length: topics }, (_unused, n) => `scale-${String(n).padStart(3, '0')}`)
console.log(`making ${topics} topics of ${perTopic} partitions`)
for (const some of slices(names, 20))
  await Promise.all(some.map(name => referee.createTopic(name, { partitions: perTopic })))
for (const some of slices(names, 4))
  await Promise.all(
    some.map(name => referee.generate(name, { partitions: perTopic, records: 100, valueBytes: [100, 100] })),
  )

const figures: Record<string, number> = {}
const note = (name: string, value: number) => console.log(`${name.padEnd(24)} ${(figures[name] = value)}`)

{
  const worker = await startWorker('first')
  note('startSeconds', await worker.began(all))
  note('readSeconds', await worker.read(topics * 100))
  note('firstFilesSeconds', await worker.uploaded(all)) // they all come of age together
  await sleep(7_000) // the blocks of partitions that rest are closed
  const atRest = processFigures(worker.pid)
  note('restCpuPercent', await cpuShare(worker.pid, Number(values.seconds) * 1_000))
  note('restWrittenKiBPerSecond', perSecond(processFigures(worker.pid).writtenKiB - atRest.writtenKiB))
  note('restReadKiBPerSecond', perSecond(processFigures(worker.pid).readKiB - atRest.readKiB))
  note('restOpenFiles', processFigures(worker.pid).openFiles)
  const trickle = trickleInto(names)
  note('trickleCpuPercent', await cpuShare(worker.pid, Number(values.seconds) * 1_000))
  note('trickleRecords', await trickle.end())
  const { rssMiB, openFiles } = processFigures(worker.pid)
  note('rssMiB', rssMiB)
  note('openFiles', openFiles)
  await referee.createTopic('scale-new', { partitions: 3 })
  note('newTopicSeconds', await worker.began(all + 3))
  note('stopSeconds', await worker.stop())
}
{
  const worker = await startWorker('second')
  note('restartSeconds', await worker.began(all + 3))
  await worker.stop()
}
const broken = Object.entries(LIMITS).filter(([name, limit]) => !(figures[name]! <= limit))
for (const [name, limit] of broken)
  console.log(`FAILED: ${name} is ${figures[name]}, and must not be more than ${limit}`)
save()
if (broken.length > 0) process.exitCode = 1

async function startWorker(name: string) {
  const [port] = await freePorts(1)
  const startedMs = performance.now()
  const profiling = ['--cpu-prof', `--cpu-prof-dir=${values.profile}`, `--cpu-prof-name=${name}.cpuprofile`].join(' ')
  const argv = [
    'backup',
    '--storage',
    `file://${folder}/store`,
    '--bootstrap-server',
    kafka.bootstrap,
    '--topics',
    'scale-.*',
  ]
  const more = [
    '--working-dir',
    `${folder}/work`,
    '--metrics-port',
    `${port}`,
    '--flush-port',
    '0',
    '--log-format',
    'json',
  ]
  const cli = new Cli([...argv, ...more, '--metadata-max-age', `${METADATA_SECONDS}s`, '--max-file-age', '20s'], {
    env: values.profile === undefined ? {} : { NODE_OPTIONS: profiling },
  })
  const metric = async (metricName: string) => {
    if (cli.process.exitCode !== null) throw new Error(`the worker ended:\n${cli.output.slice(-2_000)}`)
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const samples = [...text.matchAll(new RegExp(`^${metricName}(?:\\{.*\\})? (\\S+)$`, 'gm'))]
    return samples.reduce((sum, [, value]) => sum + Number(value), 0)
  }
  const since = (ms: number) => Math.round((performance.now() - ms) / 100) / 10
  return {
    pid: cli.process.pid!,
    /** Seconds from its start, or from now if it has been at work, until so many partitions have begun. */
    async began(count: number) {
      const fromMs =
        (await metric('maxbrod_backup_owned_partitions').catch(() => 0)) > 0 ? performance.now() : startedMs
      await eventually(`${count} begin`, async () => (await metric('maxbrod_backup_owned_partitions')) >= count, long)
      return since(fromMs)
    },
    async read(records: number) {
      await eventually('all is read', async () => (await metric('maxbrod_backup_records_total')) >= records, long)
      return since(startedMs)
    },
    async uploaded(files: number) {
      await eventually('all is uploaded', async () => (await metric('maxbrod_backup_files_total')) >= files, long)
      return since(startedMs)
    },
    async stop() {
      const fromMs = performance.now()
      cli.process.kill('SIGTERM')
      const { exit } = await cli.result
      if (exit !== 0) throw new Error(`the worker ended with ${exit}:\n${cli.output.slice(-2_000)}`)
      return since(fromMs)
    },
  }
}

/** A few records per second, to one topic after the other. */
function trickleInto(some: readonly string[]) {
  const over = new AbortController()
  const going = (async () => {
    let written = 0
    for (let n = 0; !over.signal.aborted; n++) {
      const records = Array.from({ length: perTopic }, (_unused, partition) => ({ partition, value: 'a trickle' }))
      written += (await referee.produce(some[n % some.length]!, records)).length
      await sleep(100)
    }
    return written
  })()
  return { end: () => (over.abort(), going) }
}

function perSecond(amount: number): number {
  return Math.round(amount / Number(values.seconds))
}

function slices<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_unused, n) => list.slice(n * size, (n + 1) * size))
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function save(): void {
  writeResults('scale-backup.json', { topics, partitions: all, limits: LIMITS, figures })
}
