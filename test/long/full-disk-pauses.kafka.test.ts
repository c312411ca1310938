import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { BackupRun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { inProcessFaults } from '../helpers/in-process-faults.ts'
import { logLines, logged } from '../helpers/log-lines.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 3
const full = 'the disk of --working-dir is full: uploading what there is, and reading no more until there is room'
const again = 'the disk of --working-dir has room again: reading goes on'

async function openTopic(world: World, records: number): Promise<{ topic: string; backup: BackupRun }> {
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions })
  await world.referee.generate(topic, { partitions, records })
  return { topic, backup: new BackupRun({ world, topics: [topic] }) }
}

for (const code of ['ENOSPC', 'EDQUOT']) {
  test(`a disk that answers ${code} pauses reading, is told once, and nothing is lost when there is room again`, async t => {
    await using world = await openWorld(t)
    const { topic, backup } = await openTopic(world, 3_000)
    // The blocks, then the probe, for a while.
    const fault = `disk.append:before:3-8:fail:${code}`
    const faults = inProcessFaults(fault)
    const worker = backup.start('worker', ['--max-file-age=1h', '--idle-after=100ms'], faults.ports)
    try {
      await eventually('it has room again', () => logged(worker.output(), again).length === 1)
      worker.signal('SIGUSR1')
      await backup.reachesEnds(topic)
    } finally {
      worker.signal('SIGTERM')
    }
    const { exit, stderr } = await worker.result
    assert.equal(exit, 0, stderr)
    assert.ok(faults.fired().length > 1)
    assert.equal(logged(stderr, full).length, 1)
    assert.deepEqual(
      logLines(stderr).filter(({ level, message }) => level === 'error' && message !== full),
      [],
    )
    await backup.assertSame(topic)
  })
}

test('--on-disk-full fail ends the worker with exit 5, and the next one loses nothing', async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world, 3_000)
  const faults = inProcessFaults('disk.append:before:3-:fail:ENOSPC')
  const worker = backup.start('worker', ['--on-disk-full=fail', '--idle-after=100ms'], faults.ports)
  const { exit, stderr } = await worker.result
  assert.equal(exit, 5, stderr)
  assert.ok(faults.fired().length > 0)
  assert.match(stderr, /"code":"DISK"|DISK/)
  await backup.onceOk()
  await backup.assertSame(topic)
})

const canMount = process.getuid?.() === 0 && tryMount()

test('a small file system that somebody fills holds up reading, and nothing else', { skip: !canMount }, async t => {
  await using world = await openWorld(t)
  const { topic, backup } = await openTopic(world, 20_000)
  const folder = `${world.folder}/worker`
  await mkdir(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder])
  try {
    // Room for less than what is read, and too little for the probe.
    await writeFile(`${folder}/somebody-elses`, Buffer.alloc(7_900_000))
    const worker = backup.start('worker', ['--max-file-age=1h', '--idle-after=100ms'])
    try {
      await eventually('the disk is full', () => logged(worker.output(), full).length === 1)
      await eventually('what there is is uploaded', () => logged(worker.output(), 'uploaded').length > 0)
      assert.equal(logged(worker.output(), again).length, 0)
      await rm(`${folder}/somebody-elses`)
      await eventually('it has room again', () => logged(worker.output(), again).length === 1)
      worker.signal('SIGUSR1')
      await backup.reachesEnds(topic)
    } finally {
      worker.signal('SIGTERM')
      await worker.result
    }
  } finally {
    execFileSync('umount', ['-l', folder])
  }
  await backup.assertSame(topic)
})

/** Containers often may not. */
function tryMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
