import { connect } from 'node:net'

const timeoutMs = 2_000

/** The ids of the running brokers, as the one at this port sees them. Asked with a Metadata v1 request, spelled out. */
export async function runningBrokers(port: number): Promise<number[]> {
  // Size, api key 3, version 1, correlation id 1, client id null, and a list of no topics.
  const answer = await ask(port, Buffer.from('0000000e 0003 0001 00000001 ffff 00000000'.replaceAll(' ', ''), 'hex'))
  const ids: number[] = []
  // Behind the correlation id comes the list of brokers: its length, then id, host, port and rack of each.
  let at = 8
  for (let left = answer.readInt32BE(4); left > 0; left--) {
    ids.push(answer.readInt32BE(at))
    at += 4
    at += 2 + answer.readInt16BE(at) + 4
    at += 2 + Math.max(0, answer.readInt16BE(at))
  }
  return ids
}

/** The answer to one request, without its size. */
function ask(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs })
    const chunks: Buffer[] = []
    socket.once('connect', () => socket.write(request))
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the broker closed the connection')))
    socket.on('data', chunk => {
      chunks.push(chunk)
      const received = Buffer.concat(chunks)
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
      resolve(received.subarray(4))
      socket.destroy()
    })
  })
}
