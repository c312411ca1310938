import { completeInBash } from './completion-bash.ts'
import { completeInFish } from './completion-fish.ts'
import { completeInZsh } from './completion-zsh.ts'
import type { CompletedCommand } from './completed-flags.ts'

/** Each writes a script that completes commands, flags, and values where they are few or files. */
export const completions: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: completeInBash,
  zsh: completeInZsh,
  fish: completeInFish,
}
