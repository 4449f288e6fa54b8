import type { SyncAnswer, SyncPush } from '../../wasm/topup';
import type { Send } from './transport';

export type SyncedList = 'drafts' | 'recipients';

/** Tells the shop what this device changed of a list and gets what it does not know yet. The same push again changes nothing. */
export async function syncList(send: Send, list: SyncedList, push: SyncPush): Promise<SyncAnswer> {
  return (await send<SyncAnswer>({ method: 'POST', path: `/api/v1/sync/${list}`, body: push, session: true })).body;
}
