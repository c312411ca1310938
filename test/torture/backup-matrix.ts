import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Failpoint } from '../helpers/failpoints.ts'
import { discoverCalls, failpointsOf, faultOf } from '../helpers/failpoints.ts'
import { FailpointScene, sessionMs } from '../helpers/failpoint-scene.ts'
import { runVolley } from '../helpers/failpoint-volley.ts'
import type { VolleyReport } from '../helpers/failpoint-volley.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { Dice } from '../helpers/seed.ts'
import { openBucket, s3Environment } from '../helpers/shared-s3.ts'
import { prepareServers } from '../servers/prepare.ts'
import { cleanRows, rowOf, tallyBySeed } from './matrix-rows.ts'
import { matrixTable } from './matrix-table.ts'
import { results, writeResults } from './write-results.ts'

/**
 * The failpoints of a backup worker: every verb of its ports × before and after × the first, second and last call × SIGKILL
 * and SIGSTOP × seeds; then all is restored into a cluster that has none of it. Writes what happened to
 * test/torture/results/backup-matrix.json and prints a table; whatever is not clean fails it.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    first: { type: 'string', default: '1' },
    /** Volleys beside each other. */
    lanes: { type: 'string', default: '2' },
    /** Failpoints with one scene. */
    volley: { type: 'string', default: '12' },
    /** Only verbs that hold this text. */
    only: { type: 'string', default: '' },
    minutes: { type: 'string', default: '600' },
    /** Adds to what earlier runs have written: only rows that did not come out clean there with the same seed are hit. */
    keep: { type: 'boolean', default: false },
  },
})

interface Volley extends Partial<VolleyReport> {
  readonly seed: string
  /** The commit that was tested. */
  readonly version: string
}

const startedAt = performance.now()
const file = join(results, 'backup-matrix.json')
const version = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
prepareServers(line => console.log(line))
await using kafka = await Kafka.start()
await using referee = Referee.start(kafka.bootstrap)
await using empty = await Kafka.start()
await using restored = Referee.start(empty.bootstrap)
const target = { bootstrap: empty.bootstrap, referee: restored }
await using s3 = await S3Proxy.start({ heapMiB: 768 })
Object.assign(process.env, s3Environment(s3))

const calls = await inScene('golden', scene =>
  discoverCalls((name, faults, flags) => scene.start(name, faults, flags), sessionMs),
)
const known = failpointsOf(calls)
const failpoints = known.filter(({ verb }) => verb.includes(values.only))
console.log(`${failpoints.length} failpoints of ${new Set(failpoints.map(({ verb }) => verb)).size} verbs`)

/** What went wrong is hit again, and the file says what became of it then. */
const volleys: Volley[] = (values.keep ? (JSON.parse(readFileSync(file, 'utf8')) as { volleys: Volley[] }).volleys : [])
  .filter(volley => volley.failure === undefined)
  .map(volley => ({ ...volley, hits: (volley.hits ?? []).filter(({ failure }) => failure === undefined) }))
const kept = volleys.length

const queue: { seed: string; n: number; failpoints: Failpoint[] }[] = []
for (let seed = Number(values.first); seed < Number(values.first) + Number(values.seeds); seed++) {
  const dice = new Dice('matrix', `${seed}`)
  const done = cleanRows(volleys, `${seed}`)
  const shuffled = failpoints
    .filter(failpoint => !done.has(rowOf(faultOf(failpoint))))
    .map(failpoint => ({ failpoint, rank: dice.number() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ failpoint }) => failpoint)
  const size = Number(values.volley)
  for (let at = 0; at < shuffled.length; at += size)
    queue.push({ seed: `${seed}`, n: at / size, failpoints: shuffled.slice(at, at + size) })
}
const ordered = queue.length
await Promise.all(Array.from({ length: Number(values.lanes) }, runLane))
console.log(matrixTable(volleys))
console.log(`${volleys.length - kept} of ${ordered} volleys were run`)
if (volleys.some(isBad)) process.exitCode = 1

async function runLane(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (performance.now() - startedAt > Number(values.minutes) * 60_000) return
    const { seed, n, failpoints: hits } = next
    const name = `s${seed}-v${n}`
    const report = await withFolder(async folder => {
      await using bucket = await openBucket(s3.endpoint, s3.credentials)
      const dice = new Dice(name, seed)
      return await runVolley({ bootstrap: kafka.bootstrap, referee, target, bucket, folder, suffix: name, dice }, hits)
    }).catch((error: unknown) => ({
      failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
      hits: hits.map(hit => ({ fault: faultOf(hit), failure: 'the volley broke off', seconds: 0 })),
    }))
    volleys.push({ seed, version, ...report })
    save()
    const failed = report.hits.filter(hit => hit.failure !== undefined)
    console.log(`${name}: ${report.hits.length - failed.length} hits, ${report.failure ?? 'clean'}`)
    for (const { fault, failure } of failed) console.log(`  ${fault}: ${failure}`)
  }
}

function isBad({ failure, hits = [] }: Volley): boolean {
  return failure !== undefined || hits.some(hit => hit.failure !== undefined)
}

async function inScene<T>(suffix: string, use: (scene: FailpointScene) => Promise<T>): Promise<T> {
  return withFolder(async folder => {
    await using bucket = await openBucket(s3.endpoint, s3.credentials)
    const dice = new Dice(suffix, '1')
    const options = { bootstrap: kafka.bootstrap, referee, bucket, folder, suffix, dice }
    await using scene = await FailpointScene.open(options)
    return await use(scene)
  })
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-matrix-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function save(): void {
  const table = matrixTable(volleys).split('\n')
  const seeds = tallyBySeed(volleys, known.map(faultOf))
  writeResults('backup-matrix.json', { failpoints: known.length, seeds, table, volleys })
}
