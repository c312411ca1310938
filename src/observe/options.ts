import { duration, port } from '../config/kinds-of-number.ts'
import { switchBetween } from '../config/kinds-of-others.ts'
import { choice, flag } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

/** Of every command. */
export const logOptions = section(
  'log',
  {
    logLevel: choice(['debug', 'info', 'warn', 'error'], {
      placeholder: 'LEVEL',
      foreign: [{ flag: 'verbose', kind: switchBetween('debug', 'info') }],
      default: 'info',
      doc: 'Log from this on: debug, info, warn or error.',
    }),
    logFormat: choice(['text', 'json'], {
      doc: 'How to log; on a terminal text, else JSON. JSON means one object per line.',
    }),
  },
  { heading: 'Output' },
)

/** Of every command. */
export const outputOptions = section(
  'output',
  {
    output: choice(['table', 'json'], {
      aliases: ['o'],
      default: 'table',
      doc: 'How to print the result. With json, one document stands on standard output at the end, for failures as well; logs go to standard error.',
    }),
  },
  { heading: 'Output' },
)

/** Of commands that run long enough to be watched. */
export const metricsOptions = section(
  'metrics',
  {
    metricsPort: port({
      default: '8081',
      doc: 'Serve /metrics, /livez and /readyz on this port, 0 for no server. If the default port is taken, the command goes on without the server; if a port that was named is taken, it ends.',
    }),
    stuckAfter: duration({
      min: '1s',
      isAdvanced: true,
      doc: 'Let /livez say 503 when a step of the work has not ended after this; without it, after 15 minutes and both deadlines.',
    }),
    enablePprof: flag({
      isAdvanced: true,
      doc: 'Serve CPU and heap profiles of this process on --pprof-port of 127.0.0.1. Its /debug/pprof/ says how to take and open them.',
    }),
    pprofPort: port({ default: '6060', isAdvanced: true, doc: 'Port for --enable-pprof.' }),
  },
  { heading: 'Output' },
)

/** Of commands that show what they are at. */
export const pageOptions = section(
  'page',
  {
    livePage: choice(['loopback', 'everywhere', 'off'], {
      default: 'loopback',
      isAdvanced: true,
      doc: 'Who may look at the page that / of --metrics-port shows: with loopback only this host (ssh -L and kubectl port-forward come from there), with everywhere whoever reaches the port.',
    }),
  },
  { heading: 'Output' },
)

export type MetricsOptions = Values<typeof metricsOptions>
export type PageOptions = Values<typeof pageOptions>
