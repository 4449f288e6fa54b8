import type { Send } from './transport';
import type { Session } from './types';

/** A guest's session. The token is shown once. */
export async function createSession(send: Send): Promise<Session> {
  return (await send<Session>({ method: 'POST', path: '/api/v1/sessions', body: {} })).body;
}
