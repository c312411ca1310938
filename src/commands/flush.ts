import { duration, port } from '../config/kinds-of-number.ts'
import { flag } from '../config/kinds-of-text.ts'
import { section } from '../config/section.ts'
import { command } from './command.ts'
import { notBuilt } from './not-built.ts'

const flushOptions = section('flush', {
  flushPort: port({ default: '8082', doc: 'The --flush-port of the worker.' }),
  wait: flag({ default: 'true', doc: 'Wait until everything is uploaded and committed. --no-wait only asks for it.' }),
  timeout: duration({ default: '5m', doc: 'How long to wait. The worker goes on afterwards.' }),
})

export const flush = command({
  name: 'flush',
  summary: 'ask the worker on this host to upload everything it has, now',
  sections: [flushOptions],
  examples: [
    { does: 'before the node is taken down', line: '' },
    { does: 'a worker that listens elsewhere, for one minute at most', line: '--flush-port 9082 --timeout 1m' },
    { does: 'what was uploaded, for a script', line: '-o json' },
  ],
  endsByItself: () => true,
  run: () => notBuilt('flush'),
})
