import type { Send } from './transport';
import type { Me, MyData, MySession, MySignIn, Obstacle, Purpose, Session } from './types';

const kMe = '/api/v1/me';

/** Who this session is: a guest, or somebody with identities. */
export async function getMe(send: Send): Promise<Me> {
  return (await send<Me>({ method: 'GET', path: kMe, session: true })).body;
}

export async function listSessions(send: Send): Promise<MySession[]> {
  return (await send<{ sessions: MySession[] }>({ method: 'GET', path: `${kMe}/sessions`, session: true })).body.sessions;
}

/** Ends one session; one's own is signing out. */
export async function endSession(send: Send, sessionId: string): Promise<void> {
  await send({ method: 'DELETE', path: `${kMe}/sessions/${encodeURIComponent(sessionId)}`, session: true });
}

/** Ends all others; how many. */
export async function endOtherSessions(send: Send): Promise<number> {
  return (await send<{ ended: number }>({ method: 'DELETE', path: `${kMe}/sessions`, session: true })).body.ended;
}

export async function listSignIns(send: Send): Promise<MySignIn[]> {
  return (await send<{ sign_ins: MySignIn[] }>({ method: 'GET', path: `${kMe}/sign-ins`, session: true })).body.sign_ins;
}

/** Refused with `last_identity` when there would be no way in any more. */
export async function unbind(send: Send, identityId: string): Promise<void> {
  await send({ method: 'DELETE', path: `${kMe}/identities/${encodeURIComponent(identityId)}`, session: true });
}

/** The version must be the one that is shown now: refused with `agreement_changed` otherwise. */
export async function giveConsent(send: Send, document: Purpose, version: number): Promise<Me> {
  const body = { document, version: String(version) };
  return (await send<Me>({ method: 'POST', path: `${kMe}/consents`, body, session: true })).body;
}

/** Of the privacy policy: takes everything back that was agreed to. */
export async function withdrawConsent(send: Send, document: Purpose): Promise<Me> {
  return (await send<Me>({ method: 'DELETE', path: `${kMe}/consents/${document}`, session: true })).body;
}

/** Everything that the shop keeps about this buyer. */
export async function exportData(send: Send): Promise<MyData> {
  return (await send<MyData>({ method: 'POST', path: `${kMe}/export`, body: {}, session: true })).body;
}

/** What stands in the way of deleting the account; nothing: it may go. */
export async function lookBeforeErasure(send: Send): Promise<Obstacle[]> {
  return (await send<{ obstacles: Obstacle[] }>({ method: 'GET', path: `${kMe}/erasure`, session: true })).body.obstacles;
}

/** Deletes the account for good; every session of it ends. */
export async function eraseAccount(send: Send): Promise<void> {
  await send({ method: 'POST', path: `${kMe}/erasure`, body: { confirm: true }, session: true });
}

/** Makes one account of two; the token comes from a sign-in that was answered with `merge_needed`. */
export async function mergeAccounts(send: Send, mergeToken: string): Promise<Session> {
  const body = { merge_token: mergeToken, consent: true };
  const request = { method: 'POST', path: `${kMe}/merge`, body, session: true, replacesSession: true } as const;
  return (await send<Session>(request)).body;
}
