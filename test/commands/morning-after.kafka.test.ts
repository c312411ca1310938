import { join } from 'node:path'
import { test } from 'node:test'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { openDesk } from '../helpers/page-scene.ts'
import { walkPage } from '../helpers/page-walk.ts'
import { storeOf, wholeFile } from '../helpers/sound-archive.ts'
import { openWorld } from '../helpers/world.ts'

const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
const place = (topic: string, partition: number) => ({ topic, topicId: undefined, partition, lineage: undefined })

test('the commands of docs/morning-after.md end and print as the page says, those for the bucket without any Kafka', async t => {
  await using world = await openWorld(t)
  await using desk = await openDesk()
  const bucket = join(desk.folder, 'bucket')
  await fill(bucket)
  await walkPage('docs/morning-after.md', {
    folder: desk.folder,
    env: desk.env,
    instead: { 's3://backups/prod': `file://${bucket}`, 'new:9092': world.bootstrap },
  })
})

/** Three topics: one whole up to shortly before the last point, one that lost a file, one of which Kafka had lost records. */
async function fill(bucket: string): Promise<void> {
  const orders = [0, 1].flatMap(partition => [0, 20, 40].map(from => [place('orders', partition), from] as const))
  const clicks = [0, 40].map(from => [place('clicks', 0), from] as const)
  const files = [
    ...(await Promise.all([...orders, ...clicks].map(([where, from]) => wholeFile(where, from, from + 20)))),
    await wholeFile(place('payments', 0), 0, 40, { gaps: [{ from: 38, to: 40, reason: 'retention' }] }),
  ]
  const store = await storeOf(files, openDirectoryStore(bucket))
  const ends = { 'orders/0': [40, 60], 'orders/1': [40, 65], 'clicks/0': [40, 60], 'payments/0': [30, 40] }
  for (const [n, minutesAgo] of [30, 2].entries()) {
    const partitions = Object.entries(ends).map(([name, both]) => {
      const [topic = '', partition] = name.split('/')
      return { topic, topic_id: topicId, partition: Number(partition), log_start: 0, end: both[n]! }
    })
    await writePoint(store, { atMs: Date.now() - minutesAgo * 60_000, groupsKey: undefined, partitions })
  }
  store.close()
}
