import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { allCommands, commandTable } from '../../src/commands/command-table.ts'
import { completion } from '../../src/commands/completion.ts'

const folder = mkdtempSync(join(tmpdir(), 'maxbrod-completion-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'client.properties'), '')

const bash = await scriptFor('bash')
const missing = (shell: string) => spawnSync(shell, ['--version']).error !== undefined && `${shell} is not installed`

const cases: readonly (readonly [words: string[], replies: string[]])[] = [
  [['ba'], ['backup']],
  [['backup', '--min'], ['--min-file-size']],
  [
    ['backup', '--log-level', ''],
    ['debug', 'info', 'warn', 'error'],
  ],
  [['backup', '--topics', ''], []],
  [['plan', '--hold', 'o'], ['off']],
  [['backup', '--command-config', 'cli'], ['client.properties']],
  [['completion', 'z'], ['zsh']],
]

for (const [words, replies] of cases) {
  test(`bash completes: maxbrod ${words.join(' ')}`, { skip: missing('bash') }, () => {
    assert.deepEqual(askBash(words), replies)
  })

  test(`fish completes: maxbrod ${words.join(' ')}`, { skip: missing('fish') }, async () => {
    const file = join(folder, 'maxbrod.fish')
    writeFileSync(file, await scriptFor('fish'))
    const line = `maxbrod ${words.join(' ')}`
    const { stdout } = spawnSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {
      cwd: folder,
      encoding: 'utf8',
    })
    const found = stdout.split('\n').flatMap(reply => (reply === '' ? [] : [reply.split('\t')[0]]))
    assert.deepEqual(new Set(found), new Set(replies))
  })
}

test('bash completes --flag=value, which it takes for three words', { skip: missing('bash') }, () => {
  assert.deepEqual(askBash(['backup', '--log-level', '=', 'd']), ['debug'])
  assert.deepEqual(askBash(['backup', '--log-level', '=']), ['debug', 'info', 'warn', 'error'])
})

test('zsh takes the script for its own', { skip: missing('zsh') }, async () => {
  const file = join(folder, '_maxbrod')
  writeFileSync(file, await scriptFor('zsh'))
  const load = `autoload -U compinit && compinit -u -D && source ${file} && print $_comps[maxbrod]`
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', load], { encoding: 'utf8' })
  assert.deepEqual([stdout, stderr], ['_maxbrod\n', ''])
})

test('every shell knows every flag of every command', async () => {
  const scripts = [bash, await scriptFor('zsh'), (await scriptFor('fish')).replaceAll(' -l ', ' --')]
  for (const { name, sections } of await allCommands(commandTable)) {
    for (const key of sections.flatMap(({ options }) => Object.keys(options))) {
      const flag = `--${key.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
      for (const script of scripts) assert.ok(script.includes(flag), `${name} ${flag}`)
    }
  }
})

function askBash(words: readonly string[]): string[] {
  const file = join(folder, 'maxbrod.bash')
  writeFileSync(file, bash)
  const typed = ['maxbrod', ...words].map(word => `'${word}'`).join(' ')
  const ask = `source ${file}; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _maxbrod; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', ask], { cwd: folder, encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout.split('\n').filter(reply => reply !== '')
}

async function scriptFor(shell: string): Promise<string> {
  let script = ''
  const stdout = { isTerminal: false, columns: () => 100, write: (text: string) => void (script += text) }
  assert.equal(await completion([shell], { stdout }, commandTable), 0)
  return script
}
