import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Referee } from './referee.ts'
import { Dice, testSeed } from './seed.ts'
import { sharedKafka, sharedReferee } from './shared-kafka.ts'

/**
 * What one test has for itself on servers that it shares: names that nobody else uses, a folder, dice.
 * `await using world = await openWorld(t)`.
 */
export interface World extends AsyncDisposable {
  /** For `--bootstrap-server`. */
  readonly bootstrap: string
  readonly referee: Referee
  readonly dice: Dice
  /** Goes away with the world. */
  readonly folder: string
  /** A name for a topic or a group that begins with `word` and that no other test uses. */
  name(word: string): string
}

/** `servers` are those of the test, in the place of the shared ones. */
export async function openWorld(t: TestContext, servers?: Pick<World, 'bootstrap' | 'referee'>): Promise<World> {
  t.diagnostic(`TEST_SEED=${testSeed}`)
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-world-'))
  // Names differ between runs with the same seed, too: a cluster that the user named keeps its topics.
  const suffix = Math.random().toString(36).slice(2, 8)
  return {
    ...(servers ?? { bootstrap: await sharedKafka(), referee: await sharedReferee() }),
    dice: new Dice(t.fullName),
    folder,
    name: word => `${word}-${suffix}`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}
