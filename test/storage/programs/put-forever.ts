/** Puts objects into a folder until it is killed: `put-forever.ts <folder> <name of the writer> <keys>`. Prints a line per put. */
import { randomInt } from 'node:crypto'
import { openDirectoryStore } from '../../../src/storage/directory.ts'
import { bodyOf, patternOf } from '../../helpers/object-bodies.ts'

const [folder = '', writer = '', keys = ''] = process.argv.slice(2)
const store = openDirectoryStore(folder)
for (;;) {
  const key = `t/${randomInt(4)}/${randomInt(Number(keys))}`
  const body = bodyOf(Buffer.concat([Buffer.from(`${writer} ${key} `), patternOf(randomInt(200_000))]), 30_000)
  const put = await store.put(key, body, { writer, sha256: body.sha256 })
  console.log(put.created ? 'created' : 'taken')
}
