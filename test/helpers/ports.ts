import { connect, createServer } from 'node:net'

// Below the range from which the kernel takes ports for outgoing connections (32768 and up on Linux): a server that is
// killed and started again must find its port free, whatever connections others open meanwhile.
const lowest = 20_000
const highest = 31_999

/** The environment variable by which processes that run at the same time have ports of their own: `<which>/<of how many>`. */
export const laneVariable = 'MAXBROD_TEST_LANE'

// Between the choice of a port and the start of its server pass seconds, in which it looks free to everybody.
const given = new Set<number>()

/** Loopback ports that nobody listens on now, and that nobody else of this run is given. */
export async function freePorts(count: number): Promise<number[]> {
  const [lane = 0, lanes = 1] = (process.env[laneVariable] ?? '0/1').split('/').map(Number)
  const width = Math.floor((highest - lowest + 1) / lanes)
  const first = lowest + lane * width
  const ports: number[] = []
  while (ports.length < count) {
    const port = first + Math.floor(Math.random() * width)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** True once somebody listens there. */
export function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
