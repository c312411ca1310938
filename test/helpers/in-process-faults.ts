import type { Ports } from '../../src/commands/ports.ts'
import { Faults, firedFaults, parseFaults } from './faults.ts'
import { faultyPorts } from './faulty-ports.ts'

export interface InProcessFaults {
  /** For `runCommand` and `startCommand`. */
  readonly ports: (real: Ports) => Ports
  /** The faults that fired so far, as they were ordered. */
  fired(): string[]
}

/** Faults for a command in the test's own process: everything that faults.ts knows except dying. */
export function inProcessFaults(...faults: readonly string[]): InProcessFaults {
  const ordered = parseFaults(faults.join(';'))
  let output = ''
  const hands = {
    signal: (name: string) => {
      throw new Error(`${name} would hit the test itself: use FaultyCli`)
    },
    write: (line: string) => void (output += line),
  }
  const counting = new Faults(ordered, hands)
  return { ports: real => faultyPorts(real, counting, ordered), fired: () => firedFaults(output) }
}
