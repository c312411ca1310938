import { KafkaError } from '../kafka-errors.ts'
import type { BrokerContact } from '../port/admin.ts'
import type { ClusterView } from './cluster-view.ts'

/** A listener behind a firewall never says no. */
const CONTACT_MS = 4_000

/** See ClusterAdmin.contacts. Brokers are asked all at once, each once: whoever wants to know can ask again. */
export async function contactBrokers(view: ClusterView): Promise<BrokerContact[]> {
  const { brokers } = await view.metadata([])
  return Promise.all(
    brokers.map(async ({ nodeId, host, port }): Promise<BrokerContact> => {
      const connection = view.connections.to({ host, port }, 'admin')
      let failure: string | undefined
      try {
        const opened = connection.open().then(() => true)
        // Late errors of an attempt that nobody waits for.
        opened.catch(() => undefined)
        if ((await view.within(CONTACT_MS, opened)) === undefined) failure = `no answer within ${CONTACT_MS / 1000} s`
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        failure = error.message
      }
      return { nodeId, address: `${host}:${port}`, failure, certificates: connection.certificates() }
    }),
  )
}
