import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../helpers/in-process.ts'

/** What reading one file came to. */
export interface HostileReading {
  readonly name: string
  readonly exit: number
  readonly says: string
  readonly cpuMs: number
  /** The most memory that this process has had so far. */
  readonly peakMB: number
}

// A process of its own, which does nothing but read what lies in the folder: what it takes, readers take.
const [, , folder = ''] = process.argv
// What one file left to be collected is not what the next one takes.
const { gc } = globalThis
const names = readdirSync(folder).toSorted()
// The first run of anything costs what none after it does.
await runCommand(['inspect', join(folder, names.at(-1) ?? '')])
for (const name of names) {
  gc?.()
  const before = process.cpuUsage()
  const { exit, stderr } = await runCommand(['inspect', join(folder, name)])
  const { user, system } = process.cpuUsage(before)
  const peakMB = Math.round((process.resourceUsage().maxRSS * 1024) / 1e6)
  const reading: HostileReading = { name, exit, says: stderr.slice(0, 2_000), cpuMs: (user + system) / 1000, peakMB }
  console.log(JSON.stringify(reading))
}
