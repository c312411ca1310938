import type { Reply, Routes } from '../observe/http.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { REPORT_PATH } from './kept-report.ts'
import type { KeptReport } from './kept-report.ts'
import type { ReportDeps } from './make-report.ts'

/**
 * `POST /__/report`: a report of the whole backup is made and put into the bucket. One at a time, because it reads the header of
 * every file: who asks meanwhile gets the same one.
 */
export function reportRoutes(deps: ReportDeps): Routes {
  let running: Promise<KeptReport> | undefined
  return {
    async [`POST ${REPORT_PATH}`]() {
      running ??= load(deps).finally(() => (running = undefined))
      try {
        return json(200, await running)
      } catch (error) {
        if (!(error instanceof MaxbrodError)) throw error
        const { code, message, hint } = error
        return json(409, { code, message, hint })
      }
    },
  }
}

/** All that looks at a backup is loaded when somebody asks: most workers are never asked. */
async function load(deps: ReportDeps): Promise<KeptReport> {
  const { makeReport } = await import('./make-report.ts')
  return makeReport(deps)
}

function json(status: number, content: object): Reply {
  return { status, type: 'application/json', body: `${JSON.stringify(content)}\n` }
}
