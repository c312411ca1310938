import { parse } from '../../src/config/parse.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { keepingOptions } from '../../src/storage/keeping-options.ts'
import { openStorage } from '../../src/storage/open.ts'
import { storageOptions } from '../../src/storage/options.ts'
import type { ErasableStore } from '../../src/storage/port.ts'

/** The store that a worker with these flags has. */
export function openKeeping(...argv: readonly string[]): Promise<ErasableStore> {
  const region = '--s3-region=us-east-1'
  const { values } = parse([storageOptions, keepingOptions], {
    argv: [region, ...argv.filter(flag => flag !== region)],
    env: {},
    readFile: () => '',
  })
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: new Metrics() }
  return openStorage({ ...values.storage, ...values.keeping }, deps)
}
