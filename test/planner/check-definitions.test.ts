import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDefinitions } from '../../src/planner/check-definitions.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { define } from '../helpers/definition.ts'

test('no topic is created by a guess while a damaged object may say how it was', async () => {
  const met = { firstError: new MaxbrodError('OBJECT_CORRUPT', 'damaged') }
  const options = { createTopics: true, strict: false }
  const known = { topic: 'orders', definition: define('orders', 1) }
  const unknown = { topic: 'carts', definition: undefined }
  checkDefinitions({ firstError: undefined }, [unknown], new Map(), options)
  const check = (
    targets: readonly (typeof known | typeof unknown)[],
    seen: string[],
    other?: Partial<typeof options>,
  ) => checkDefinitions(met, targets, new Map(seen.map(name => [name, {}])), { ...options, ...other })
  check([known], [])
  check([known, unknown], ['carts'])
  check([unknown], [], { createTopics: false })
  assert.throws(() => check([known, unknown], []), { code: 'OBJECT_CORRUPT' })
  assert.throws(() => check([known], [], { strict: true }), { code: 'OBJECT_CORRUPT' })
})
