import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { testSeed } from './seed.ts'

/** Checks a property with the seed of the run, so that a failure comes back with TEST_SEED. */
export function check<T>(property: fc.IProperty<T>, numRuns: number): void {
  fc.assert(property, { seed, numRuns })
}

/** The same for properties that wait. */
export async function checkAsync<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  await fc.assert(property, { seed, numRuns })
}

const seed = createHash('sha256').update(testSeed).digest().readInt32BE()
