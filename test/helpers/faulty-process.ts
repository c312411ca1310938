import assert from 'node:assert/strict'
import { join } from 'node:path'
import { root } from '../runner/files.ts'
import type { CliOptions } from './cli.ts'
import { Cli } from './cli.ts'
import { eventually } from './eventually.ts'
import { firedFaults } from './faults.ts'

/** A running maxbrod with faults; `faults` as in faults.ts. */
export class FaultyCli extends Cli {
  readonly #ordered: readonly string[]

  constructor(argv: readonly string[], faults: readonly string[] = [], { env = {}, ...options }: CliOptions = {}) {
    super(argv, {
      ...options,
      program: join(root, 'test/helpers/faulty-cli.ts'),
      env: { ...env, FAULTS: faults.join(';') },
    })
    this.#ordered = faults
  }

  /** The faults that fired so far, as they were ordered. */
  get fired(): string[] {
    return firedFaults(this.output)
  }

  /** Resolves once a fault has fired so many times. */
  async happened(fault: string, times = 1): Promise<void> {
    assert.ok(this.#ordered.includes(fault), `${fault} was not ordered`)
    await eventually(`${fault} fires`, () => this.fired.filter(one => one === fault).length >= times)
  }

  /** A test whose faults never fired proved nothing. */
  assertAllFired(): void {
    assert.deepEqual(
      this.#ordered.filter(fault => !this.fired.includes(fault)),
      [],
      `faults that never fired; the output was:\n${this.output}`,
    )
  }
}
