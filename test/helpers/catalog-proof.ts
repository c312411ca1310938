import assert from 'node:assert/strict'
import { readTileFacts } from '../../src/catalog/tile-facts.ts'
import { listPartitions, listTiles, listTopicFolders } from '../../src/catalog/tile-list.ts'
import type { TileSpan } from '../../src/catalog/tiling.ts'
import { proveTiling } from '../../src/catalog/tiling.ts'
import { partitionFolder } from '../../src/format/keys.ts'
import type { ObjectStore } from '../../src/storage/port.ts'

/** The tiles of each partition folder as the catalog finds them, after its own proof that they tile; nothing else lies there. */
export async function proveByCatalog(store: ObjectStore): Promise<Map<string, TileSpan[]>> {
  const proven = new Map<string, TileSpan[]>()
  const listing = { onForeign: (key: string) => assert.fail(`${key} is no tile`) }
  for await (const topic of listTopicFolders(store, listing)) {
    for (const place of await listPartitions(store, topic, listing)) {
      const tiles: TileSpan[] = []
      for await (const { key, place: tile } of listTiles(store, place, 0, listing)) {
        const found = await readTileFacts(store, key, tile)
        assert.equal(found?.kind, 'tile', `${key}: ${found?.kind === 'no tile' ? found.reason : 'gone'}`)
        if (found?.kind === 'tile') tiles.push({ key, from: tile.from, to: found.facts.coversTo })
      }
      assert.deepEqual(proveTiling(tiles), { holes: [], overlaps: [] }, partitionFolder(place))
      proven.set(partitionFolder(place), tiles)
    }
  }
  return proven
}
