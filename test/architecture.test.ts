import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SourceFile } from './helpers/imports.ts'
import { codeOf, sourceFile, sourceFiles } from './helpers/imports.ts'
import { root } from './runner/files.ts'

// ---- the rules, as data; ARCHITECTURE.md says why

const rooms = ['backup', 'planner', 'executor', 'groups', 'archive', 'check']

const forRooms = [
  'runtime',
  'format',
  'config',
  'observe',
  'catalog',
  'storage/port.ts',
  'kafka/port.ts',
  'kafka/port',
  'kafka/tail.ts',
]

/** What each folder of src/ may import beside itself: folders, parts of folders, or single files. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  format: ['runtime'],
  config: ['runtime'],
  observe: ['runtime', 'config'],
  storage: ['runtime', 'config', 'observe'],
  kafka: ['runtime', 'format/batch', 'config', 'observe'],
  catalog: ['runtime', 'format', 'config', 'observe', 'storage/port.ts'],
  ...Object.fromEntries(rooms.map(room => [room, forRooms])),
  commands: ['runtime', 'format', 'config', 'observe', 'storage', 'kafka', 'catalog', ...rooms],
  'cli.ts': ['commands'],
}

/** Each package is known to one folder only, which can replace it. */
const owners: Readonly<Record<string, string>> = {
  '@aws-sdk/client-s3': 'storage',
  'aws-msk-iam-sasl-signer-js': 'kafka',
  '@node-rs/crc32': 'format',
  avsc: 'format',
  kafkajs: 'kafka',
  'lz4-napi': 'format',
  'p-limit': 'runtime',
  pino: 'observe',
  'prom-client': 'observe',
  snappy: 'format',
  yargs: 'config',
}

/** These reach the world through ports only, so that a test can own it: no files, sockets, timers, clocks or chance. */
const worldless = ['format', 'catalog', 'config', ...rooms]

/** What Node offers that only computes. */
const computing = ['node:crypto', 'node:util', 'node:zlib', 'node:buffer', 'node:path']

const worldly = [
  ['the wall clock', /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/],
  ['the monotonic clock', /\bperformance\b/],
  ['chance', /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\brandomInt\b/],
  ['timers', /\bset(Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b/],
  ['the network', /(?<![.#\w])fetch\(|\bWebSocket\b/],
] as const

/** Who may take objects out of a store; all others get a port that has no verb for it. */
const erasing = /^src\/(storage\/|archive\/prune\/|commands\/(prune|ports|system-ports)\.ts)/

/** A file that is longer is named in the test's output: look whether it answers two questions. */
const linesUsual = 200

/** Longer than this needs a reason why two files would read worse. */
const linesMax = 300
const longFiles: Readonly<Record<string, string>> = {}

// ---- the rules, as tests

const files = sourceFiles()

test('imports point one way: rooms never know each other, floors know nothing of rooms', () => {
  assert.deepEqual(forbiddenImports(files), [])
})

test('no file needs itself, over however many others', () => assert.deepEqual(cycles(files), []))

test('no folder inside a room or floor needs itself, over however many others', () => {
  assert.deepEqual(cycles(innerFolders(files)), [])
})

test('each package is imported by its owner only, and every dependency has one', () => {
  assert.deepEqual(foreignPackages(files), [])
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: object
    peerDependencies: object
  }
  assert.deepEqual(Object.keys(owners).sort(), Object.keys({ ...dependencies, ...peerDependencies }).sort())
})

test('rooms, catalog, config and format touch no file, socket, clock, timer or dice', () => {
  assert.deepEqual(worldlyUses(files), [])
})

test('the process and its console are seen by cli.ts alone', () => assert.deepEqual(processUses(files), []))

test('only prune can delete what is in a store', () => assert.deepEqual(erasers(files), []))

test('every dynamic import names its file', () => {
  const computed = files.filter(file => /\bimport\((?!')/.test(codeOf(file)))
  assert.deepEqual(
    computed.map(({ path }) => path),
    [],
  )
})

test(`a file has up to ${linesMax} lines, or a reason`, t => {
  const lengths = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
  for (const { path, lines } of lengths) if (lines > linesUsual) t.diagnostic(`${path} has ${lines} lines`)
  const long = lengths.filter(({ lines }) => lines > linesMax).map(({ path }) => path)
  assert.deepEqual(
    long.filter(path => longFiles[path] === undefined),
    [],
    'too long',
  )
  assert.deepEqual(
    Object.keys(longFiles).filter(path => !long.includes(path)),
    [],
    'no longer long: take it off the list',
  )
})

test('the rules see what they are made to see', () => {
  const bad = (path: string, text: string) => [sourceFile(path, text)]
  for (const [path, line] of [
    ['src/backup/x.ts', "import type { A } from '../planner/a.ts'"],
    ['src/backup/x.ts', "import type {\n  A,\n} from '../storage/s3.ts'"],
    ['src/backup/x.ts', "const { a } = await import('../kafka/kafkajs/open.ts')"],
    ['src/kafka/x.ts', "export { a } from '../format/keys.ts'"],
    ['src/runtime/x.ts', "import '../config/section.ts'"],
    ['src/cli.ts', "import { a } from './observe/logger.ts'"],
    ['src/unheard-of/x.ts', "import { a } from '../runtime/stop.ts'"],
  ] as const) {
    assert.equal(forbiddenImports(bad(path, line)).length, 1, `${path}: ${line}`)
  }
  assert.deepEqual(forbiddenImports(bad('src/kafka/x.ts', "import { a } from '../format/batch/varint.ts'")), [])
  const ring = [sourceFile('src/a.ts', "import './b.ts'"), sourceFile('src/b.ts', "import type { A } from './a.ts'")]
  assert.deepEqual(cycles(ring), ['src/a.ts → src/b.ts → src/a.ts'])
  const there = sourceFile('src/a/b/x.ts', "import '../c/y.ts'")
  const andBack = sourceFile('src/a/c/z.ts', "import '../b/z.ts'")
  assert.deepEqual(cycles([there, andBack]), [])
  assert.deepEqual(cycles(innerFolders([there, andBack])), ['src/a/b → src/a/c → src/a/b'])
  assert.equal(foreignPackages(bad('src/backup/x.ts', "import { Kafka } from 'kafkajs'")).length, 1)
  assert.equal(foreignPackages(bad('src/storage/x.ts', "import a from 'left-pad/deep.js'")).length, 1)
  assert.equal(worldlyUses(bad('src/backup/x.ts', "import { open } from 'node:fs/promises'")).length, 1)
  assert.equal(worldlyUses(bad('src/backup/x.ts', 'const now = Date.now() // setTimeout')).length, 1)
  assert.equal(erasers(bad('src/backup/x.ts', "import type { ErasableStore } from '../storage/port.ts'")).length, 1)
  assert.equal(erasers(bad('src/commands/verify.ts', 'await context.openErasableStore(a, b)')).length, 1)
  assert.equal(erasers(bad('src/archive/prune/prune.ts', 'await store.deleteAll(keys)')).length, 0)
  assert.equal(processUses(bad('src/storage/x.ts', "const home = process.env['HOME']")).length, 1)
  assert.equal(
    processUses(bad('src/storage/x.ts', '/** console.log */\n// process.exit\nconst processed = 1')).length,
    0,
  )
})

// ---- how they are found

/** `backup` for src/backup/worker.ts. */
function folderOf(path: string): string {
  return path.split('/')[1] ?? path
}

function forbiddenImports(all: readonly SourceFile[]): string[] {
  return all.flatMap(({ path, imports }) => {
    const folder = folderOf(path)
    const allowed = [folder, ...(mayImport[folder] ?? [])].map(part => `src/${part}`)
    const isAllowed = (target: string) => allowed.some(part => target === part || target.startsWith(`${part}/`))
    const own = imports.filter(target => target.startsWith('src/'))
    if (mayImport[folder] === undefined) return [`${path} lies in a folder that has no rule`]
    return own.filter(target => !isAllowed(target)).map(target => `${path} imports ${target}`)
  })
}

function cycles(all: readonly SourceFile[]): string[] {
  const byPath = new Map(all.map(file => [file.path, file]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' → '))
    if (way.includes(path) || done.has(path)) return
    for (const target of byPath.get(path)?.imports ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const { path } of all) visit(path, [])
  return found
}

/** `src/backup/chain` and what it needs of its neighbours; what lies in `src/backup` itself is the frame of them all. */
function innerFolders(all: readonly SourceFile[]): SourceFile[] {
  const innerOf = (path: string) => /^src\/[^/]+\/[^/]+(?=\/)/.exec(path)?.[0]
  const inner = new Map<string, string[]>()
  for (const { path, imports } of all) {
    const from = innerOf(path)
    if (from === undefined) continue
    const targets = imports.flatMap(target => innerOf(target) ?? []).filter(target => target !== from)
    inner.set(from, [...(inner.get(from) ?? []), ...targets])
  }
  return [...inner].map(([path, imports]) => ({ path, text: '', imports }))
}

function foreignPackages(all: readonly SourceFile[]): string[] {
  return all.flatMap(({ path, imports }) =>
    imports
      .filter(target => !target.startsWith('src/') && !target.startsWith('node:'))
      .filter(target => owners[/^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? ''] !== folderOf(path))
      .map(target => `${path} imports ${target}`),
  )
}

function worldlyUses(all: readonly SourceFile[]): string[] {
  return all
    .filter(({ path }) => worldless.includes(folderOf(path)))
    .flatMap(file => [
      ...file.imports
        .filter(target => target.startsWith('node:') && !computing.includes(target))
        .map(target => `${file.path} imports ${target}`),
      ...worldly.filter(([, regex]) => regex.test(codeOf(file))).map(([what]) => `${file.path} uses ${what}`),
    ])
}

function erasers(all: readonly SourceFile[]): string[] {
  const eraser = /\b(ErasableStore|openErasableStore|deleteAll)\b/
  return all.filter(file => !erasing.test(file.path) && eraser.test(codeOf(file))).map(({ path }) => path)
}

function processUses(all: readonly SourceFile[]): string[] {
  const use = /(?<![.\w'-])(process|console)\s*[.[]|from 'node:(process|console)'/
  return all.filter(file => file.path !== 'src/cli.ts' && use.test(codeOf(file))).map(({ path }) => path)
}
