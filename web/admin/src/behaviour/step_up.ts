// What the server refuses with step_up_needed is asked for again after the person has proven who they are.
import { ref } from 'vue';

import { asProblem } from '../transport';

// Set while the dialog is open; StepUpDialog.vue answers it.
export const asking = ref<((proven: boolean) => void) | null>(null);

// Nothing when the person cancelled.
export async function withStepUp<T>(deed: () => Promise<T>): Promise<T | undefined> {
  try {
    return await deed();
  } catch (error) {
    if (asProblem(error).reason !== 'step_up_needed') throw error;
  }
  const proven = await new Promise<boolean>((answer) => (asking.value = answer));
  asking.value = null;
  return proven ? deed() : undefined;
}
