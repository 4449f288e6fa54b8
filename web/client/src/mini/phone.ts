// Binding the number that WeChat knows. A number that already has an account leads to a merge, and only with a yes.
import { bindWechatPhone, hasPhone, mergeInto } from '@api/mini_program';
import { ApiRefused } from '@api/transport';
import { t } from '@/i18n';
import { isRecord, readStored, writeStored } from '@/storage';
import { useRecipients } from '@/stores/recipients';
import { useSession } from '@/stores/session';
import { send } from '@/transport';

interface Asked {
  phone: true;
}
function isAsked(value: unknown): value is Asked {
  return isRecord(value) && value.phone === true;
}

/** Whether to ask now: once on this phone, and only somebody who has no number yet. */
export async function shouldAskForPhone(): Promise<boolean> {
  if (readStored('asked', isAsked) !== null) return false;
  try {
    return !(await hasPhone(send));
  } catch {
    return false;
  }
}

export function askedForPhone(): void {
  writeStored('asked', { phone: true });
}

function wantsMerge(): Promise<boolean> {
  return new Promise((decided) => {
    uni.showModal({
      title: t('mini.phone_merge_title'),
      content: t('mini.phone_merge_text'),
      confirmText: t('mini.phone_merge_yes'),
      cancelText: t('mini.phone_merge_no'),
      success: ({ confirm }) => decided(confirm),
      fail: () => decided(false),
    });
  });
}

/** `code` is what the phone button gave. True when the number is bound now; a refusal is thrown. */
export async function bindPhone(code: string): Promise<boolean> {
  const session = useSession();
  try {
    await session.become(bindWechatPhone(send, code), true);
    return true;
  } catch (failed) {
    if (!(failed instanceof ApiRefused) || failed.problem.reason !== 'merge_needed') throw failed;
    const token = failed.problem.merge_token;
    if (typeof token !== 'string' || !(await wantsMerge())) return false;
    await session.become(mergeInto(send, token).then(useRecipients().follow), true);
    return true;
  }
}
