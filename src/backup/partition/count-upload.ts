import type { WorkerContext } from '../deps.ts'
import { backupMetrics } from '../metrics.ts'
import type { UploadedTile } from '../chain/uploaded-tile.ts'

/** Counts a file that has become durable. */
export function countUpload(
  { metrics, clock }: Pick<WorkerContext, 'metrics' | 'clock'>,
  topic: string,
  { bytes, gaps, seconds }: UploadedTile,
): void {
  const { filesTotal, fileBytesTotal, gapOffsetsTotal, uploadSeconds, lastUploadTimestampSeconds } =
    metrics.of(backupMetrics)
  filesTotal.add(1, { topic })
  fileBytesTotal.add(bytes, { topic })
  for (const { from, to, reason } of gaps) gapOffsetsTotal.add(to - from, { topic, reason })
  uploadSeconds.observe(seconds)
  lastUploadTimestampSeconds.set(clock.now() / 1000, { topic })
}
