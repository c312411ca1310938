import assert from 'node:assert/strict'

/**
 * Runs `work`, and demands that this process took no more of a processor for it: what others do on the machine meanwhile, and
 * that it stands still, counts for nothing.
 */
export async function withinCpuTime(ms: number, work: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  const takenMs = Math.round((user + system) / 1_000)
  assert.ok(takenMs < ms, `it took ${takenMs} ms of a processor`)
}
