/** Puts an object and gets it back: `round-trip.ts <endpoint> <bucket>`. Prints what it got, or the error. */
import { isMaxbrodError } from '../../../src/runtime/errors.ts'
import { openS3Store } from '../../../src/storage/s3.ts'
import { bodyOf, contentOf, patternOf } from '../../helpers/object-bodies.ts'

const [endpoint = '', bucket = ''] = process.argv.slice(2)
const store = openS3Store({ bucket, prefix: '', endpoint })
try {
  const content = patternOf(3_000_000)
  await store.put('a/b', bodyOf(content), {})
  for (let n = 0; n < 3; n++) {
    const back = await contentOf(await store.get('a/b'))
    console.log(back.equals(content) ? 'equal' : 'different')
  }
} catch (error) {
  if (!isMaxbrodError(error)) throw error
  console.log(`${error.code}: ${error.hint}`)
}
store.close()
