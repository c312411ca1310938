import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from '../../src/observe/table.ts'

test('columns are as wide as needed, and numbers stand to the right', () => {
  assert.equal(
    table(
      ['TOPIC', 'FILES', 'NEWEST'],
      [
        ['orders', 12, '5m ago'],
        ['a-topic-with-a-long-name', 7, '-'],
      ],
    ),
    `TOPIC                     FILES  NEWEST
orders                       12  5m ago
a-topic-with-a-long-name      7  -
`,
  )
})

test('a table without rows has its headings', () => assert.equal(table(['A', 'B'], []), 'A  B\n'))
