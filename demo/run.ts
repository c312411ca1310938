/**
 * `make demo`: the whole life of a backup on this machine, with a real Kafka broker and real data. Topics are backed up into a
 * folder, deleted, and restored by three executors, one of which is killed on the way; then every record is compared.
 * Nothing is left running, and nothing is left behind.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CannotPrepare, prepareServers } from '../test/servers/prepare.ts'
import { tellStory } from './story.ts'

const folder = mkdtempSync(join(tmpdir(), 'maxbrod-demo-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
// Servers and executors die with this process, however it ends.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130))
try {
  prepareServers(line => console.log(line))
  process.exitCode = (await tellStory(folder)) ? 0 : 1
} catch (error) {
  console.error(error instanceof CannotPrepare ? error.message : error)
  process.exitCode = 1
}
