// The home page on the desk: a draft that is changed here, saved as a version, and published.
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

import type { BlockKind } from '../../../api/decoration';
import {
  addPicture, getDecoration, getPageVersion, listPictures, publishPage, removePicture, savePage,
  type DecorationDesk, type DeskBlock, type DeskPage, type Picture,
} from '../api/content';
import { asProblem, newKey, type Problem } from '../transport';

export const kOnce: readonly BlockKind[] = ['recipient', 'amounts', 'recents', 'promise', 'coupons', 'stations', 'contact'];
export const kNeeded: readonly BlockKind[] = ['recipient', 'amounts'];
export const kBlockKinds: readonly BlockKind[] = [
  'banner', 'notice', 'entries', 'products', 'countries', 'text', 'coupons', 'stations', 'contact', 'recipient', 'recents', 'amounts', 'promise',
];
const said = () => ({ zh: '', en: '' });

export function newBlock(kind: BlockKind, id: string): DeskBlock {
  const base = { id, hidden: false, from_ms: 0, until_ms: 0 };
  switch (kind) {
    case 'banner':
      return { ...base, kind, items: [{ picture: 'waves', title: said(), link: '' }] };
    case 'notice':
      return { ...base, kind, text: said(), link: '' };
    case 'entries':
      return { ...base, kind, items: [{ link: 'orders', title: said() }, { link: 'help', title: said() }] };
    case 'countries':
      return { ...base, kind, title: said(), items: ['CN'] };
    case 'products':
      return { ...base, kind, title: said(), items: [] };
    case 'text':
      return { ...base, kind, title: said(), body: said() };
    default:
      return { ...base, kind };
  }
}

/** The page as it comes, to begin with. */
export function plainPage(): DeskPage {
  const kinds: BlockKind[] = ['recipient', 'recents', 'amounts', 'promise'];
  return { schema: 1, theme: 'ink', blocks: kinds.map((kind) => newBlock(kind, kind)) };
}

export const useDecoration = defineStore('decoration', () => {
  const desk = ref<DecorationDesk | null>(null);
  const pictures = ref<Picture[]>([]);
  const page = ref<DeskPage>(plainPage());
  const saved = ref('');
  const shownNow = ref(0); // the version in the draft's place, 0 when it is a new one
  const chosen = ref('');
  const problem = ref<Problem | null>(null);
  const busy = ref(false);
  let deed = newKey();

  const isChanged = computed(() => JSON.stringify(page.value) !== saved.value);
  const block = computed(() => page.value.blocks.find((one) => one.id === chosen.value) ?? null);

  function put(fresh: DeskPage, version: number): void {
    page.value = JSON.parse(JSON.stringify(fresh)) as DeskPage;
    saved.value = JSON.stringify(page.value);
    shownNow.value = version;
    if (block.value === null) chosen.value = '';
  }
  async function trying(act: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    problem.value = null;
    try {
      await act();
      deed = newKey();
      return true;
    } catch (error) {
      problem.value = asProblem(error);
      // Without an answer the same deed is asked for again under its key; a refusal is an answer.
      if (problem.value.status !== 0) deed = newKey();
      return false;
    } finally {
      busy.value = false;
    }
  }

  const load = () =>
    trying(async () => {
      [desk.value, pictures.value] = await Promise.all([getDecoration(), listPictures()]);
      const version = desk.value.newest_version;
      put(version === 0 ? plainPage() : (await getPageVersion(version)).page, version);
    });
  /** What others did meanwhile; the draft stays. */
  const refresh = () =>
    trying(async () => {
      desk.value = await getDecoration();
    });
  const loadPictures = () =>
    trying(async () => {
      pictures.value = await listPictures();
    });
  /** An older version as the draft: saved again it is a new one. */
  const open = (version: number) =>
    trying(async () => put(version === 0 ? plainPage() : (await getPageVersion(version)).page, version));

  const mayAdd = (kind: BlockKind) => !kOnce.includes(kind) || !page.value.blocks.some((one) => one.kind === kind);
  function add(kind: BlockKind): void {
    if (!mayAdd(kind)) return;
    let at = page.value.blocks.length + 1;
    while (page.value.blocks.some((one) => one.id === `${kind}${at}`)) ++at;
    const id = kOnce.includes(kind) ? kind : `${kind}${at}`;
    const after = page.value.blocks.findIndex((one) => one.id === chosen.value);
    page.value.blocks.splice(after < 0 ? 0 : after + 1, 0, newBlock(kind, id));
    chosen.value = id;
  }
  function moveTo(id: string, to: number): void {
    const { blocks } = page.value;
    const from = blocks.findIndex((one) => one.id === id);
    const [moved] = from < 0 || to < 0 || to >= blocks.length ? [] : blocks.splice(from, 1);
    if (moved) blocks.splice(to, 0, moved);
  }
  function move(id: string, by: number): void {
    moveTo(id, page.value.blocks.findIndex((one) => one.id === id) + by);
  }
  function remove(id: string): void {
    page.value.blocks = page.value.blocks.filter((one) => one.id !== id || kNeeded.includes(one.kind));
    if (block.value === null) chosen.value = '';
  }
  function hide(id: string, hidden: boolean): void {
    const found = page.value.blocks.find((one) => one.id === id);
    if (found && !kNeeded.includes(found.kind)) found.hidden = hidden;
  }

  const save = (note: string) =>
    trying(async () => {
      const done = await savePage(page.value, note, desk.value?.newest_version ?? 0, deed);
      put(done.page, done.version);
      desk.value = await getDecoration();
    });
  const publish = (version: number) =>
    trying(async () => {
      desk.value = await publishPage(version, desk.value?.shown_version ?? 0, deed);
    });
  const upload = (title: string, bytes: string) =>
    trying(async () => {
      await addPicture(title, bytes, deed);
      pictures.value = await listPictures();
    });
  const drop = (picture: string) =>
    trying(async () => {
      pictures.value = await removePicture(picture, deed);
    });

  return {
    desk, pictures, page, shownNow, chosen, block, problem, busy, isChanged,
    load, refresh, loadPictures, open, mayAdd, add, move, moveTo, remove, hide, save, publish, upload, drop,
  };
});
