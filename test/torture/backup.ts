import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { backupUnderFire } from '../helpers/backup-under-fire.ts'
import type { BackupFireReport } from '../helpers/backup-under-fire.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { openBucket, s3Environment } from '../helpers/shared-s3.ts'
import { prepareServers } from '../servers/prepare.ts'
import { writeResults } from './write-results.ts'

/**
 * `make torture-backup`: the backup of test/system/backup-under-fire.test.ts with many seeds. Writes what happened to
 * test/torture/results/backup.json; a run that is not exact fails it.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '3' },
    kills: { type: 'string', default: '20' },
  },
})

interface Run extends Partial<BackupFireReport> {
  readonly seed: string
  readonly failure?: string
}

prepareServers(line => console.log(line))
await using kafka = await Kafka.start()
await using referee = Referee.start(kafka.bootstrap)
await using s3 = await S3Proxy.start()
Object.assign(process.env, s3Environment(s3))

const runs: Run[] = []
for (let n = Number(values.first); n < Number(values.first) + Number(values.seeds); n++) {
  runs.push(await runOnce(`${n}`))
  save()
}
const failed = runs.filter(({ failure }) => failure !== undefined).length
console.log(`${runs.length - failed} exact, ${failed} failed`)
if (failed > 0) process.exitCode = 1

async function runOnce(seed: string): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-fire-'))
  try {
    await using bucket = await openBucket(s3.endpoint, s3.credentials)
    const report = await backupUnderFire({
      name: 'torture',
      seed,
      bootstrap: kafka.bootstrap,
      referee,
      bucket,
      folder,
      suffix: seed,
      records: 20_000,
      workers: Number(values.workers),
      kills: Number(values.kills),
      wipes: Math.ceil(Number(values.kills) / 5),
      maxRate: '100KiB',
      say: line => console.log(line),
    })
    return { seed, ...report }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`seed ${seed}: FAILED\n${failure}`)
    return { seed, failure }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function save(): void {
  writeResults('backup.json', { runs })
}
