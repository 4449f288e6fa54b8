import type { Send } from './transport';
import type { Inbox } from './types';

/** What the buyer was told, newest first. An empty cursor starts at the top. */
export async function listMessages(send: Send, cursor: string): Promise<Inbox> {
  const query = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`;
  return (await send<Inbox>({ method: 'GET', path: `/api/v1/messages${query}`, session: true })).body;
}

export async function markRead(send: Send, messageId: string): Promise<void> {
  const path = `/api/v1/messages/${encodeURIComponent(messageId)}/read`;
  await send({ method: 'POST', path, body: {}, session: true });
}
