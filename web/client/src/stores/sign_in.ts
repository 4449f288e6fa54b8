import { mergeAccounts } from '@api/me';
import { askCode, bindPhone, bindWechat, claimWechat, signInBySms, type CodePurpose } from '@api/sign_in';
import { ApiRefused } from '@api/transport';
import type { Session } from '@api/types';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useMe } from './me';
import { useRecipients } from './recipients';
import { useSession } from './session';

const kDigitsOfCode = 6;
const kPhoneReasons = ['phone_invalid', 'sms_country_not_served', 'sms_too_often', 'sms_unavailable', 'too_many_requests'];

/** Becoming somebody by a code or by WeChat. What went wrong stands at the field it belongs to. */
export const useSignIn = defineStore('sign_in', () => {
  const session = useSession();
  const phone = ref('');
  const code = ref('');
  /** When a code may be asked for again, by this device's clock; 0: now. */
  const againAtMs = ref(0);
  const sentTo = ref('');
  const phoneFailure = ref<Failure | null>(null);
  const codeFailure = ref<Failure | null>(null);
  const failure = ref<Failure | null>(null);
  /** What a consent to make one account of two is given with; '' when nothing is asked. */
  const mergeToken = ref('');
  const busy = ref(false);

  function forgetFailures(): void {
    phoneFailure.value = null;
    codeFailure.value = null;
    failure.value = null;
  }
  function typePhone(text: string): void {
    phone.value = text;
    phoneFailure.value = null;
  }
  function typeCode(text: string): void {
    code.value = text.replace(/[０-９]/g, (one) => String(one.charCodeAt(0) - 0xff10)).replace(/\D/g, '').slice(0, kDigitsOfCode);
    codeFailure.value = null;
  }
  function waitFor(ms: number): void {
    againAtMs.value = Date.now() + ms;
  }

  function place(thrown: unknown): void {
    const failed = failureOf(thrown);
    const wait = thrown instanceof ApiRefused ? (thrown.problem.retry_after_s ?? 0) : 0;
    if (failed.reason === 'sms_code_wrong' || failed.reason === 'sign_in_locked') codeFailure.value = failed;
    else if (kPhoneReasons.includes(failed.reason)) phoneFailure.value = failed;
    else failure.value = failed;
    if (failed.reason === 'sms_too_often' || failed.reason === 'too_many_requests') waitFor(wait * 1000);
  }

  async function trying(deed: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    forgetFailures();
    try {
      await deed();
      return true;
    } catch (failed) {
      const token = failed instanceof ApiRefused ? failed.problem.merge_token : undefined;
      if (token) mergeToken.value = token;
      else place(failed);
      return false;
    } finally {
      busy.value = false;
    }
  }

  async function arrive(given: Promise<Session>): Promise<void> {
    const made = await session.become(given, true);
    mergeToken.value = made.merge_token ?? '';
    code.value = '';
    await useMe().load();
  }

  function ask(purpose: CodePurpose): Promise<boolean> {
    return trying(async () => {
      const asked = await askCode(send, phone.value, purpose);
      sentTo.value = phone.value;
      waitFor(asked.again_after_ms);
    });
  }
  /** True when the buyer is signed in and nothing more is asked. */
  async function submit(purpose: CodePurpose): Promise<boolean> {
    const way = purpose === 'bind' ? bindPhone : signInBySms;
    return (await trying(async () => arrive(way(send, phone.value, code.value)))) && mergeToken.value === '';
  }
  async function claim(purpose: CodePurpose): Promise<boolean> {
    const way = purpose === 'bind' ? bindWechat : claimWechat;
    return (await trying(async () => arrive(way(send)))) && mergeToken.value === '';
  }
  function merge(): Promise<boolean> {
    const token = mergeToken.value;
    return trying(async () => {
      await arrive(mergeAccounts(send, token).then(useRecipients().follow));
    });
  }
  function declineMerge(): void {
    mergeToken.value = '';
    code.value = '';
  }
  /** A fresh page: the number stays, so that nobody types it twice. */
  function open(): void {
    forgetFailures();
    code.value = '';
    mergeToken.value = '';
  }

  return {
    phone, code, againAtMs, sentTo, phoneFailure, codeFailure, failure, mergeToken, busy,
    typePhone, typeCode, ask, submit, claim, merge, declineMerge, open,
  };
});
