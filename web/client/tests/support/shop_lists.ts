// The shop's side of a list that devices share: each push merged by the compiled core, a repeat only answered.
import type { ApiRequest } from '@api/transport';
import type { ItemFields, SyncAnswer, SyncPush } from '@topup/core';
import { topup } from './core';

interface Item {
  id: string;
  revision: number;
  seen: { device: string; client_revision: number }[];
  fields: ItemFields;
}

export class ShopList {
  items: Item[] = [];
  revision = 0;
  pushes = 0;

  /** What anybody has who looks at the shop's copy. */
  texts(): string {
    return JSON.stringify(this.items.map((item) => item.fields));
  }

  answer(request: ApiRequest): SyncAnswer {
    const push = request.body as SyncPush;
    if (push.items.length > 0) this.pushes += 1;
    for (const pushed of push.items) this.take(push.device, pushed);
    const ids = new Set(push.items.map((item) => item.id));
    return { revision: this.revision, items: this.items.filter((item) => ids.has(item.id) || item.revision > push.since), refused: [] };
  }

  private take(device: string, { id, client_revision, base, mine }: SyncPush['items'][number]): void {
    let item = this.items.find((one) => one.id === id);
    if ((item?.seen.find((one) => one.device === device)?.client_revision ?? 0) >= client_revision) return;
    if (item === undefined) this.items.push((item = { id, revision: 0, seen: [], fields: mine }));
    else {
      const merged = topup().mergeItems({ base, mine, theirs: item.fields });
      if (!merged.ok) throw new Error(merged.error.reason);
      item.fields = merged.value.fields;
    }
    item.seen = [...item.seen.filter((one) => one.device !== device), { device, client_revision }];
    item.revision = ++this.revision;
  }
}
