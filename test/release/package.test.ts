import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { commandTable } from '../../src/commands/command-table.ts'
import { runCli } from '../helpers/cli.ts'
import { root } from '../runner/files.ts'
import { installPacked, run } from './installed.ts'

const installed = installPacked()
after(() => installed[Symbol.dispose]())

test('the tarball has what was compiled, its pages and its licence, and no source, test or map', () => {
  const { files } = installed
  for (const name of ['bin/maxbrod', 'bin/take-sigusr1.cjs', 'dist/cli.js', 'docs/restore.md', 'LICENSE', 'README.md'])
    assert.ok(files.includes(name), name)
  assert.deepEqual(
    files.filter(
      name => !/^(bin|dist|docs)\/|^(LICENSE|README\.md|package\.json)$/.test(name) || /\.(ts|map)$/.test(name),
    ),
    [],
  )
})

test('installed in an empty folder, it runs with what it says it depends on', async () => {
  const { folder } = installed
  const program = join(folder, 'node_modules/maxbrod/bin/maxbrod')
  const options = { program, cwd: folder, env: { PATH: '/usr/bin:/bin' } }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const about = await runCli(['--version'], options)
  assert.deepEqual([about.exit, about.stderr], [0, ''])
  assert.ok(about.stdout.startsWith(`maxbrod ${version} `), about.stdout)
  // Loads every command, and so every package.
  const completion = await runCli(['completion', 'bash'], options)
  assert.deepEqual([completion.exit, completion.stderr], [0, ''])
  for (const name of Object.keys(commandTable)) assert.ok(completion.stdout.includes(name), name)
  const nothing = await runCli(['ls', '--storage', `file://${folder}/nothing`], options)
  assert.equal(nothing.exit, 10, nothing.stderr)
})

// ---- the image, as far as it can be built without an engine: its last stage, in a folder that becomes the root

const dockerfile = readFileSync(join(root, 'deploy/image/Dockerfile'), 'utf8')
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(lastStage)?.[1] ?? '[]') as string[]
const user = /^USER (.*)$/m.exec(lastStage)?.[1] ?? ''
const isRoot = process.getuid?.() === 0 && process.platform === 'linux'

test('the image runs without a shell, for a user without rights', { skip: !isRoot && 'only root may chroot' }, () => {
  const image = join(installed.folder, '../image')
  const node = realpathSync(process.execPath)
  const put = (from: string, to: string) => {
    mkdirSync(dirname(join(image, to)), { recursive: true })
    cpSync(from, join(image, to), { recursive: true })
  }
  const built: Readonly<Record<string, (to: string) => void>> = {
    '/out/nodejs': to => put(node, `${to}/bin/node`),
    '/out/app'(to) {
      const { folder } = installed
      for (const name of ['bin', 'dist', 'package.json'])
        put(join(folder, 'node_modules/maxbrod', name), `${to}/${name}`)
      const beside = (path: string) => !/node_modules\/(maxbrod|node-linux-\w+)$/.test(path)
      cpSync(join(folder, 'node_modules'), join(image, to, 'node_modules'), { recursive: true, filter: beside })
    },
    '/out/maxbrod'(to) {
      put(join(root, 'deploy/image/maxbrod.cjs'), to)
      chmodSync(join(image, to), 0o755)
    },
    '/out/spool': to => mkdirSync(join(image, to), { recursive: true }),
  }
  for (const [, from = '', to = ''] of lastStage.matchAll(/^COPY --from=build (?:--\S+ )?(\S+) (\S+)$/gm)) {
    const make = built[from]
    assert.ok(make, from)
    make(to)
  }
  // The C library, which comes with the base image: as much of it as Node and the native packages ask for.
  const natives = globSync('app/node_modules/**/*.node', { cwd: image }).map(name => join(image, name))
  for (const [library] of run('ldd', [node, ...natives], root).matchAll(/\/\S+\.so[.\d]*(?= \()/g))
    put(realpathSync(library), library)
  chmodSync(join(installed.folder, '..'), 0o755)
  chmodSync(image, 0o755)
  const start = (...args: readonly string[]) =>
    spawnSync('chroot', [`--userspec=${user}`, image, ...entrypoint, ...args], {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin' },
    })

  const about = start('--version')
  assert.deepEqual([about.status, about.stderr], [0, ''])
  assert.match(about.stdout, /^maxbrod /)
  for (const args of [
    ['completion', 'bash'],
    ['plan', '--help'],
  ]) {
    const { status, stderr } = start(...args)
    assert.deepEqual([status, stderr], [0, ''], args.join(' '))
  }
})

test('the image starts Node with the flags of bin/maxbrod', () => {
  const flagsOf = (file: string) =>
    readFileSync(join(root, file), 'utf8')
      .match(/--(initial|max-semi|heap|require|disable)[-\w=]*/g)
      ?.sort()
  assert.deepEqual(flagsOf('deploy/image/maxbrod.cjs'), flagsOf('bin/maxbrod'))
})

test('the context of the image has all that the Dockerfile copies', () => {
  const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .flatMap(line => /^!(.*)/.exec(line)?.[1] ?? [])
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )?(.*) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  )
  assert.ok(copied.length > 8)
  for (const name of copied)
    assert.ok(
      allowed.some(one => name === one || name.startsWith(`${one}/`)),
      name,
    )
})
