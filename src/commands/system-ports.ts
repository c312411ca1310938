import { systemClock } from '../runtime/clock.ts'
import { nodeDisk } from '../runtime/node-disk.ts'
import { systemRandom } from '../runtime/random.ts'
import type { Ports } from './ports.ts'

/** The real world. */
export const systemPorts: Ports = {
  clock: systemClock,
  random: systemRandom,
  disk: nodeDisk,
}
