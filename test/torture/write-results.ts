import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** Where long runs write what they found. */
export const results = join(import.meta.dirname, 'results')

/** Writes what a long run found to test/torture/results/, with the time and the machine. */
export function writeResults(name: string, found: object): void {
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`
  mkdirSync(results, { recursive: true })
  const document = { ranAt: new Date().toISOString(), machine, ...found }
  writeFileSync(join(results, name), `${JSON.stringify(document, undefined, 2)}\n`)
}
