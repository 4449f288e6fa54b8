// Announcements, help, contacts and agreements on the desk: a draft of one, its versions, and what is shown.
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

import { listTexts, publishText, saveText, textHistory, type TextHead, type TextHistory, type TextKind, type TextVersion } from '../api/content';
import { asProblem, newKey, type Problem } from '../transport';

export type TextDraft = Pick<TextVersion, 'document' | 'kind' | 'topics' | 'title' | 'body' | 'place' | 'shows_from_ms' | 'shows_until_ms'>;

export function newDraft(kind: TextKind, taken: string[]): TextDraft {
  let at = 1;
  while (taken.includes(`${kind}_${at}`)) ++at;
  const document = `${kind}_${at}`;
  return { document, kind, topics: [], title: { zh: '', en: '' }, body: { zh: '', en: '' }, place: 100, shows_from_ms: 0, shows_until_ms: 0 };
}
function draftOf(version: TextVersion): TextDraft {
  const { document, kind, topics, title, body, place, shows_from_ms, shows_until_ms } = version;
  return JSON.parse(JSON.stringify({ document, kind, topics, title, body, place, shows_from_ms, shows_until_ms })) as TextDraft;
}

export const useTexts = defineStore('texts', () => {
  const heads = ref<TextHead[]>([]);
  const loaded = ref(false);
  const draft = ref<TextDraft | null>(null);
  const history = ref<TextHistory | null>(null);
  const saved = ref('');
  const problem = ref<Problem | null>(null);
  const busy = ref(false);
  let deed = newKey();

  const isChanged = computed(() => draft.value !== null && JSON.stringify(draft.value) !== saved.value);
  const newest = computed(() => history.value?.versions[0]?.version ?? 0);
  const ofKind = (kind: TextKind) => heads.value.filter((one) => one.kind === kind);

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
      if (problem.value.status !== 0) deed = newKey();
      return false;
    } finally {
      busy.value = false;
    }
  }
  function put(fresh: TextDraft | null): void {
    draft.value = fresh;
    saved.value = JSON.stringify(fresh);
  }

  const load = () =>
    trying(async () => {
      heads.value = await listTexts();
      loaded.value = true;
    });
  const open = (document: string) =>
    trying(async () => {
      history.value = await textHistory(document);
      const [first] = history.value.versions;
      put(first ? draftOf(first) : null);
    });
  function begin(kind: TextKind): void {
    history.value = null;
    problem.value = null;
    put(newDraft(kind, heads.value.map((one) => one.document)));
  }
  function close(): void {
    history.value = null;
    problem.value = null;
    put(null);
  }
  function take(version: TextVersion): void {
    draft.value = draftOf(version);
  }
  const save = () =>
    trying(async () => {
      const one = draft.value;
      if (one === null) return;
      await saveText(
        one.document,
        {
          based_on: newest.value, kind: one.kind, topics: one.topics.join(' '), place: one.place,
          shows_from_ms: one.shows_from_ms, shows_until_ms: one.shows_until_ms,
          title_zh: one.title.zh, title_en: one.title.en, body_zh: one.body.zh, body_en: one.body.en,
        },
        deed,
      );
      saved.value = JSON.stringify(one);
      [history.value, heads.value] = await Promise.all([textHistory(one.document), listTexts()]);
    });
  const publish = (version: number) =>
    trying(async () => {
      const one = history.value;
      if (one === null) return;
      history.value = await publishText(one.document, version, one.shown_version, deed);
      heads.value = await listTexts();
    });

  return { heads, loaded, draft, history, problem, busy, isChanged, newest, ofKind, load, open, begin, close, take, save, publish };
});
