import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../src/config/nearest.ts'

const names = ['topics', 'exclude-topics', 'topics-file', 'group-id', 'once', 'output', 'max-rate', 'bootstrap-server']

for (const [given, meant] of [
  ['topcs', 'topics'],
  ['tpoics', 'topics'],
  ['topic', 'topics'],
  ['topcis', 'topics'],
  ['maxrate', 'max-rate'],
  ['groupid', 'group-id'],
  ['onec', 'once'],
  ['bootstrap', 'bootstrap-server'],
  ['bootstrap-servers', 'bootstrap-server'],
  ['x', undefined],
  ['', undefined],
  ['compression', undefined],
] as const) {
  test(`'${given}' probably means ${meant ?? 'none of these'}`, () => assert.equal(nearest(given, names), meant))
}
