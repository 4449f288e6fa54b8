// What only WeChat's mini-program asks for: signing in by its code, its phone button, its subscribe messages.
import type { Send } from './transport';
import type { Session } from './types';

/** The code of wx.login works once. `guest`: the session of a guest who goes on as this person. */
export async function signInByMiniProgram(send: Send, code: string, guest = ''): Promise<Session> {
  const path = '/api/v1/sign-in/wechat-mini';
  return (await send<Session>({ method: 'POST', path, body: { code }, ...(guest === '' ? {} : { token: guest }) })).body;
}

/** The code is that of the phone button, not of wx.login. The answer is a new session of the same person. */
export async function bindWechatPhone(send: Send, code: string): Promise<Session> {
  const request = { method: 'POST', path: '/api/v1/me/phone/wechat', body: { code }, session: true, replacesSession: true } as const;
  return (await send<Session>(request)).body;
}

/** With the consent of the one who is asked: the orders of this session's user move to the other account. */
export async function mergeInto(send: Send, mergeToken: string): Promise<Session> {
  const body = { merge_token: mergeToken, consent: true };
  const request = { method: 'POST', path: '/api/v1/me/merge', body, session: true, replacesSession: true } as const;
  return (await send<Session>(request)).body;
}

export interface ReminderTemplate {
  topic: string;
  template_id: string;
}

export async function listSubscriptions(send: Send): Promise<{ templates: ReminderTemplate[] }> {
  return (await send<{ templates: ReminderTemplate[] }>({ method: 'GET', path: '/api/v1/subscriptions', session: true })).body;
}

/** What the question answered, by template. */
export async function answerSubscriptions(send: Send, results: Record<string, string>): Promise<{ accepted: number }> {
  const path = '/api/v1/subscriptions';
  return (await send<{ accepted: number }>({ method: 'POST', path, body: { results }, session: true })).body;
}

/** Whether the buyer has a phone number bound. */
export async function hasPhone(send: Send): Promise<boolean> {
  const me = await send<{ identities: { kind: string }[] }>({ method: 'GET', path: '/api/v1/me', session: true });
  return me.body.identities.some((one) => one.kind === 'phone');
}
