import type { Send } from './transport';
import type { CodeAsked, Session } from './types';

export type CodePurpose = 'sign_in' | 'bind';

/** Sends a code by short message. Refused with `sms_too_often` and the seconds to wait. */
export async function askCode(send: Send, phone: string, purpose: CodePurpose): Promise<CodeAsked> {
  const session = purpose === 'bind' ? true : 'if_any';
  return (await send<CodeAsked>({ method: 'POST', path: '/api/v1/sign-in/sms/code', body: { phone, purpose }, session })).body;
}

/** A guest's session goes along: its orders stay with whoever signs in. Refused with `merge_needed` and a merge token
 *  when the number has an account of its own and the guest owns something. */
export async function signInBySms(send: Send, phone: string, code: string): Promise<Session> {
  const request = { method: 'POST', path: '/api/v1/sign-in/sms', body: { phone, code }, session: 'if_any', replacesSession: true } as const;
  return (await send<Session>(request)).body;
}

export async function bindPhone(send: Send, phone: string, code: string): Promise<Session> {
  const request = { method: 'POST', path: '/api/v1/me/phone/sms', body: { phone, code }, session: true, replacesSession: true } as const;
  return (await send<Session>(request)).body;
}

/** Where the browser goes to sign in with the official account, and comes back to `returnPath`. */
export function wechatStart(returnPath: string): string {
  return `/api/v1/sign-in/wechat-oa/start?return_path=${encodeURIComponent(returnPath)}`;
}

/** After the way to WeChat and back, which a cookie of this browser proves. */
export async function claimWechat(send: Send): Promise<Session> {
  const request = { method: 'POST', path: '/api/v1/sign-in/wechat-oa', body: {}, session: 'if_any', replacesSession: true } as const;
  return (await send<Session>(request)).body;
}

export async function bindWechat(send: Send): Promise<Session> {
  const request = { method: 'POST', path: '/api/v1/sign-in/wechat-oa/bind', body: {}, session: true, replacesSession: true } as const;
  return (await send<Session>(request)).body;
}
