import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { renderPage } from '../../src/archive/report/page.ts'
import { manyFiles } from '../helpers/many-files.ts'
import { measuredCli } from '../helpers/measured-cli.ts'
import { mixed, samplePage } from '../helpers/sample-pages.ts'
import { writeResults } from './write-results.ts'

/**
 * `make scale-report`: the page of 3,000 partitions, by the command from a folder, and rendered alone: its bytes and processor
 * seconds. Fails when a limit is broken. Writes test/torture/results/scale-report.json.
 */
const LIMITS = { bytes: 300_000, renderCpuSeconds: 1 }
const PARTITIONS = 3_000

const folder = await mkdtemp(join(tmpdir(), 'maxbrod-scale-report-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
for (const { key, bytes } of manyFiles(3 * PARTITIONS, 300, 10)) {
  const path = join(folder, 'backup', key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
const out = join(folder, 'report.html')
const { exit, stderr, seconds, cpuSeconds } = await measuredCli([
  'report',
  `--out=${out}`,
  `--storage=file://${folder}/backup`,
])
const rows = readFileSync(out, 'utf8').match(/<tr><th>\d/g)?.length ?? 0
if (exit !== 0) throw new Error(`report ended with ${exit}\n${stderr.slice(-2_000)}`)

const sample = samplePage({ topics: 300, partitions: 10, segmentsOf: mixed, isKafkaAsked: true })
const before = process.cpuUsage()
const page = renderPage(sample)
const { user, system } = process.cpuUsage(before)
const figures = {
  partitions: PARTITIONS,
  rows,
  bytes: Math.max(readFileSync(out).length, Buffer.byteLength(page)),
  renderCpuSeconds: Math.round((user + system) / 1e4) / 100,
  commandSeconds: seconds,
  commandCpuSeconds: cpuSeconds,
}
for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(20)} ${value}`)
const broken = Object.entries(LIMITS).filter(([name, limit]) => !(figures[name as keyof typeof LIMITS] < limit))
for (const [name, limit] of broken) console.log(`FAILED: ${name} must be less than ${limit}`)
writeResults('scale-report.json', { limits: LIMITS, loadAverage: loadavg()[1], figures })
if (broken.length > 0) process.exitCode = 1
