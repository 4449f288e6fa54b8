// This page inside the console, while staff lays it out or writes a text: it shows what the console hands it and does nothing.
// Only the console of this server can frame it (frame-ancestors 'self' at /preview alone), and only what frames it is heard.
import type { ContentDocument } from '@api/types';
import { nextTick } from 'vue';
import { locale, toggleLocale } from './i18n';
import { changeLook } from './look';
import { isRecord } from './storage';
import { useContent } from './stores/content';
import { useDecoration } from './stores/decoration';

const kHome = 'pages/home/home';
const kText = 'pages/agreement/agreement';
const kActs = ['click', 'auxclick', 'dblclick', 'submit', 'keydown', 'keypress', 'beforeinput', 'pointerdown', 'touchstart', 'mousedown'];

function tell(message: Record<string, string>): void {
  window.parent.postMessage({ from: 'topup preview', ...message }, location.origin);
}

/** Nothing here is pressed or typed into; a press says which block it met. */
function deaden(event: Event): void {
  if (event.type !== 'touchstart' && event.type !== 'pointerdown') event.preventDefault();
  event.stopImmediatePropagation();
  if (event.type !== 'click' || !(event.target instanceof Element)) return;
  const id = event.target.closest('[data-block]')?.getAttribute('data-block');
  if (id) tell({ picked: id });
}

function mark(id: string): void {
  for (const block of document.querySelectorAll('[data-block]')) {
    const isIt = block.getAttribute('data-block') === id;
    for (const part of block.children) {
      if (!(part instanceof HTMLElement)) continue;
      part.style.outline = isIt ? '2px dashed var(--brand)' : '';
      part.style.outlineOffset = isIt ? '3px' : '';
    }
    if (isIt) block.firstElementChild?.scrollIntoView({ block: 'nearest' });
  }
}

function pageNow(): string {
  const open = getCurrentPages();
  return (open[open.length - 1] as { route?: string } | undefined)?.route ?? '';
}

function showText(one: ContentDocument): void {
  const content = useContent();
  content.announcements = one.kind === 'announcement' ? [{ ...one, topics: ['home'] }] : [];
  content.text = one;
  const wanted = one.kind === 'announcement' ? kHome : kText;
  if (pageNow() !== wanted) uni.reLaunch({ url: wanted === kHome ? `/${kHome}` : `/${kText}?document=${one.document}` });
}

async function hear(data: Record<string, unknown>): Promise<void> {
  if ((data.language === 'zh' || data.language === 'en') && data.language !== locale.value) await toggleLocale();
  if (data.look === 'light' || data.look === 'dark') changeLook({ theme: data.look });
  if (isRecord(data.page)) useDecoration().draft(data.page);
  if (isRecord(data.text)) showText(data.text as unknown as ContentDocument);
  await nextTick();
  mark(typeof data.chosen === 'string' ? data.chosen : '');
}

export function startPreview(): void {
  if (window.parent === window) return location.replace('/');
  const content = useContent();
  content.loadAnnouncements = async () => undefined;
  content.open = async () => undefined;
  for (const act of kActs) window.addEventListener(act, deaden, { capture: true, passive: false });
  window.addEventListener('message', ({ source, origin, data }) => {
    if (source === window.parent && origin === location.origin && isRecord(data) && data.for === 'topup preview') void hear(data);
  });
  tell({ ready: 'yes' });
}
