#!/nodejs/bin/node
// What bin/maxbrod is elsewhere, for an image that has no shell: becomes Node with the same flags, which stand there with
// their reasons. Same process id, so signals go straight to the program.
const app = '/app'
const heap =
  process.argv[2] === 'plan'
    ? ['--max-semi-space-size=4', '--heap-growing-percent=30']
    : ['--initial-old-space-size=128']
const node = process.execPath
const flags = [...heap, '--require', `${app}/bin/take-sigusr1.cjs`, '--disable-warning=ExperimentalWarning']

// Node calls execve experimental, and would say so at every start.
process.removeAllListeners('warning')
process.execve(node, [node, ...flags, `${app}/dist/cli.js`, ...process.argv.slice(2)], process.env)
