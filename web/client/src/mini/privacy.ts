// The privacy gate: WeChat holds back phone numbers, contacts, places and the clipboard until the buyer has agreed to the
// operator's privacy guide, and tells us to ask. PrivacyGate.vue asks; what was asked for goes on or fails by itself.
import { ref } from 'vue';
import { asked, host, type PrivacyAnswer } from './host';

/** Must be the id of the very button that carries open-type="agreePrivacyAuthorization". */
export const kAgreeButton = 'privacy-agree';

/** True while the buyer is being asked. */
export const isAsking = ref(false);
let waiting: ((given: PrivacyAnswer) => void)[] = [];

export function watchPrivacy(): void {
  host.onNeedPrivacyAuthorization?.((answer) => {
    waiting.push(answer);
    isAsking.value = true;
  });
}

function answerAll(given: PrivacyAnswer): void {
  const all = waiting;
  waiting = [];
  isAsking.value = false;
  for (const answer of all) answer(given);
}

export function agree(): void {
  answerAll({ event: 'agree', buttonId: kAgreeButton });
}
export function refuse(): void {
  answerAll({ event: 'disagree' });
}

export function openGuide(): void {
  host.openPrivacyContract?.({ fail: () => undefined });
}

/** Before anything private. False: the buyer said no, and the page goes on without it. */
export async function mayUsePrivate(): Promise<boolean> {
  if (!host.requirePrivacyAuthorize) return true; // an older WeChat has no such gate
  try {
    await asked<unknown>((told) => host.requirePrivacyAuthorize?.(told));
    return true;
  } catch {
    return false;
  }
}
