import { resolveSrv } from 'node:dns/promises'
import { readFileSync, readdirSync } from 'node:fs'
import { systemClock } from '../runtime/clock.ts'
import { nodeDisk } from '../runtime/node-disk.ts'
import { systemRandom } from '../runtime/random.ts'
import type { StoreOptions } from '../storage/open.ts'
import type { ErasableStore } from '../storage/port.ts'
import type { Ports, Tools } from './ports.ts'

/** The real world. Drivers are loaded when a command opens them: they are most of what has to be loaded at all. */
export const systemPorts: Ports = {
  clock: systemClock,
  random: systemRandom,
  disk: nodeDisk,
  openStore,
  openErasableStore: openStore,
  async lookAtStorage(options, clock, signal) {
    const { lookAtStorage } = await import('../storage/open.ts')
    return lookAtStorage(options, clock, signal)
  },
  async openKafka(options, tools) {
    const { connectKafka } = await import('../kafka/connect.ts')
    const { listedBrokers, withListedBrokers } = await import('../kafka/listed-brokers.ts')
    const known = await withListedBrokers(options, resolveSrv)
    const name = options.brokersDnsSrv
    return connectKafka(known, {
      ...tools,
      listAgain: name === undefined ? undefined : () => listedBrokers(name, resolveSrv),
      readFile: path => readFileSync(path, 'utf8'),
      listFolder: path => readdirSync(path),
    })
  },
}

async function openStore(options: StoreOptions, tools: Tools): Promise<ErasableStore> {
  const { openStorage } = await import('../storage/open.ts')
  return openStorage(options, tools)
}
