import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { manyFiles } from '../helpers/many-files.ts'
import { measuredCli } from '../helpers/measured-cli.ts'
import { writeResults } from './write-results.ts'

/**
 * `make scale-coverage`: coverage of a backup of many files in a folder: without an index of headers, with one that is made, and with
 * one that knows all. Fails when a limit is broken. Writes test/torture/results/scale-coverage.json.
 */
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '100000' },
    topics: { type: 'string', default: '20' },
    partitions: { type: 'string', default: '10' },
  },
})
/**
 * For 100,000 files. Processor seconds: what takes no more of them is over within a minute where one processor has nothing else
 * to do. The seconds of the clock, which are noted, too, depend on who else is there.
 */
const LIMITS = { plainCpuSeconds: 60, firstCpuSeconds: 60, indexedCpuSeconds: 20 }
const files = Number(values.files)

const folder = await mkdtemp(join(tmpdir(), 'maxbrod-scale-coverage-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
const figures: Record<string, number> = { files }
for (const { key, bytes } of manyFiles(files, Number(values.topics), Number(values.partitions))) {
  const path = join(folder, 'backup', key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
const index = `--header-index=${folder}/index`
for (const [name, flags] of [
  ['plain', []],
  ['first', [index]],
  ['indexed', [index]],
] as const) {
  const argv = ['coverage', '--output=json', `--storage=file://${folder}/backup`, ...flags]
  const { exit, stdout, stderr, ...cost } = await measuredCli(argv)
  const { status, partitions } = JSON.parse(stdout) as { status: string; partitions: readonly unknown[] }
  if (exit !== 0 || status !== 'OK' || partitions.length !== Number(values.topics) * Number(values.partitions))
    throw new Error(`coverage ended with ${exit}: ${status}, ${partitions.length} partitions\n${stderr.slice(-2_000)}`)
  for (const [what, value] of Object.entries(cost)) {
    const figure = `${name}${what[0]!.toUpperCase()}${what.slice(1)}`
    console.log(`${figure.padEnd(24)} ${(figures[figure] = value)}`)
  }
}
const broken = Object.entries(LIMITS).filter(([name, limit]) => files >= 100_000 && !(figures[name]! <= limit))
for (const [name, limit] of broken)
  console.log(`FAILED: ${name} is ${figures[name]}, and must not be more than ${limit}`)
writeResults('scale-coverage.json', { limits: LIMITS, loadAverage: loadavg()[1], figures })
if (broken.length > 0) process.exitCode = 1
