import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root } from '../runner/files.ts'
import { assertRuns } from './assert-runs.ts'

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly depends_on?: object
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: object
}

const text = readFileSync(join(root, 'deploy/compose/compose.yaml'), 'utf8')
const { services, volumes } = parse(text, { merge: true }) as Compose
const ours = Object.entries(services).filter(([, { image }]) => image === 'maxbrod')

test('every service of maxbrod can be run as it is called', async () => {
  assert.deepEqual(
    ours.map(([name]) => name),
    ['backup', 'groups-backup', 'restore'],
  )
  for (const [name, { command, environment = {} }] of ours) {
    if (command !== undefined) await assertRuns({ where: name, argv: command, env: environment })
  }
})

test('the lines in the comments can be typed', async () => {
  const lines = [...text.matchAll(/^ *# +docker compose -f (\S+) (?:exec|run --rm) (\S+) (?:maxbrod )?(.*)$/gm)]
  assert.equal(lines.length, 3)
  for (const [line, file, service = '', words = ''] of lines) {
    assert.equal(file, 'deploy/compose/compose.yaml')
    await assertRuns({ where: line, argv: words.split(' '), env: services[service]?.environment ?? {}, isShared: true })
  }
})

test('what a service mounts or waits for is there', () => {
  for (const [name, { volumes: mounts = [], depends_on: waits = {} }] of Object.entries(services)) {
    for (const mount of mounts) assert.ok(Object.hasOwn(volumes, mount.split(':')[0] ?? ''), `${name}: ${mount}`)
    for (const other of Object.keys(waits)) assert.ok(Object.hasOwn(services, other), `${name}: ${other}`)
  }
})
