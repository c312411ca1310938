/** The real command line over a world that fails as FAULTS says (faults.ts has the grammar). */
import { runCli } from '../../src/cli.ts'
import { Faults, parseFaults } from './faults.ts'
import { faultyPorts } from './faulty-ports.ts'

const ordered = parseFaults(process.env['FAULTS'] ?? '')
const faults = new Faults(ordered)

await runCli({ ports: ports => faultyPorts(ports, faults, ordered) })
