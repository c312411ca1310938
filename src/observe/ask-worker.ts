import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import { nodeHttp } from '../runtime/node-http.ts'

const { request } = nodeHttp

/** What a worker on this host answered. */
export interface WorkerAnswer {
  readonly status: number
  readonly body: string
}

/** POSTs to a worker on this host. Throws WORKER_UNREACHABLE when none answers; the signal's reason when it aborts. */
export function askWorker(port: number, path: string, signal: AbortSignal): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const onError = (cause: unknown) => reject(signal.aborted ? signal.reason : unreachable(port, cause))
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false, signal }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', onError)
    })
    asked.on('error', onError)
    asked.end()
  })
}

function unreachable(port: number, cause: unknown): MaxbrodError {
  return new MaxbrodError('WORKER_UNREACHABLE', `no worker answers on 127.0.0.1:${port}: ${messageOf(cause)}`, {
    cause,
    port,
    hint: 'is maxbrod backup running on this host, with this --flush-port?',
  })
}
