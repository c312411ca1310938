import type { Ports } from '../../src/commands/ports.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { retrying } from '../../src/storage/retrying.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import type { S3Faults } from './s3-faults.ts'
import type { TestBucket } from './shared-s3.ts'

/** The real driver with its real retries, which waits a second for a silent store instead of half a minute. */
export function impatientStore({ options }: TestBucket, { endpoint }: S3Faults): (real: Ports) => Ports {
  const limits = { idleMs: 1_000, answerMs: 3_000 }
  const retries = { clock: systemClock, random: Math.random, initialMs: 10, maxMs: 500, deadlineMs: 60_000 }
  return real => ({
    ...real,
    openStore: () =>
      Promise.resolve(
        retrying(openS3Store({ ...options, endpoint, limits }), { ...retries, onRetry: () => undefined }),
      ),
  })
}
