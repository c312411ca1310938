import { check as lookAround } from '../check/check.ts'
import type { Finding } from '../check/finding.ts'
import type { CheckOptions } from '../check/options.ts'
import { checkOptions } from '../check/options.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { table } from '../observe/table.ts'
import { storageOptions } from '../storage/options.ts'
import { backupOptions } from '../backup/options.ts'
import { usualRestoreGroup } from '../format/restore-group.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

export const check = command({
  name: 'check',
  summary: 'is everything there that a command needs? if not, what is to be done?',
  sections: [checkOptions, kafkaOptions, storageOptions],
  examples: [
    { does: 'before the first backup', line: "--topics 'orders.*' --storage s3://bucket/shop" },
    { does: 'before a restore, at the target cluster', line: '--for restore --storage s3://bucket/shop' },
    { does: 'for a script', line: '-o json --storage s3://bucket/shop' },
  ],
  endsByItself: () => true,
  async run({ check: options, kafka: kafkaValues, storage: storageValues }, context) {
    const { clock, disk, random, stop } = context
    // Retries end in time to be told.
    const deadline = options.timeout * 0.75
    const soonKafka = { ...kafkaValues, kafkaDeadline: Math.min(kafkaValues.kafkaDeadline, deadline) }
    const soonStorage = { ...storageValues, storageDeadline: Math.min(storageValues.storageDeadline, deadline) }
    await using kafka = await context.openKafka(soonKafka, context)
    const store = await context.openStore(soonStorage, context)
    using _ = { [Symbol.dispose]: () => store.close() }
    const lookAtStorage = (signal: AbortSignal) => context.lookAtStorage(soonStorage, clock, signal)
    const deps = { kafka, store, disk, clock, random, lookAtStorage, usualGroup }
    return outcomeOf(options, await lookAround(options, deps, stop.draining))
  },
})

/** As the commands have it. */
function usualGroup({ for: purpose, planTopic }: CheckOptions): string {
  return purpose === 'restore' ? usualRestoreGroup(planTopic) : (backupOptions.options.groupId.default[0] ?? '')
}

function outcomeOf({ for: purpose }: CheckOptions, findings: readonly Finding[]): Outcome {
  const count = (verdict: Finding['verdict']) => findings.filter(finding => finding.verdict === verdict).length
  const [warnings, failures] = [count('WARN'), count('FAIL')]
  const rows = findings.map(({ verdict, check: what, says, fix }) => [
    verdict,
    what,
    fix === undefined ? says : `${says} · ${fix}`,
  ])
  const end =
    failures > 0
      ? `maxbrod ${purpose} will not work: ${failures} of ${findings.length} checks failed\n`
      : `maxbrod ${purpose} can run${warnings === 0 ? '' : `, with ${warnings} warnings`}\n`
  return {
    result: failures > 0 ? 'failed' : 'ok',
    code: 'CHECK_FAILED',
    details: { for: purpose, ok: count('OK'), warnings, failures, checks: findings },
    text: `${table(['', 'check', 'found'], rows)}${end}`,
  }
}
