// The page's side of the service worker (scripts/service_worker.js); a mini-program's updates come from its platform. A new version waits until the buyer takes it or
// the last page of the old one is closed; an open page keeps every file of its own build until then.
import { defineStore } from 'pinia';
import { ref } from 'vue';

const kLookAgainMs = 30 * 60_000;

/** Of which build this page is; '' while developing, where there is no worker. */
function ownBuild(): string {
  return document.querySelector('meta[name="build"]')?.getAttribute('content') ?? '';
}

export const useUpdates = defineStore('updates', () => {
  const ready = ref(false);
  let registration: ServiceWorkerRegistration | null = null;
  let taking = false;

  function found(worker: ServiceWorker | null): void {
    // The first worker of all is no news: this page is of the same build.
    if (worker === null || navigator.serviceWorker.controller === null) return;
    const look = () => {
      if (worker.state === 'installed') ready.value = true;
    };
    worker.addEventListener('statechange', look);
    look();
  }

  async function register(): Promise<void> {
    try {
      registration = await navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' });
    } catch {
      return; // a browser that forbids it shows the same page, without an offline one
    }
    found(registration.waiting);
    registration.addEventListener('updatefound', () => found(registration?.installing ?? null));
    registration.active?.postMessage('tidy'); // files of builds that no page shows any more
    setInterval(() => void look(), kLookAgainMs);
  }

  /** Asks the shop for a newer build. */
  async function look(): Promise<void> {
    await registration?.update().catch(() => undefined);
  }

  function watch(): void {
    // A file of this build that the server no longer has: only a newer page helps.
    window.addEventListener('vite:preloadError', () => (ready.value = true));
    if (!('serviceWorker' in navigator) || ownBuild() === '') return;
    navigator.serviceWorker.addEventListener('message', ({ data, ports }) => {
      if (data === 'which build') ports[0]?.postMessage(ownBuild());
    });
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (taking) location.reload();
    });
    // Filling the cache must not compete with the first page.
    if (document.readyState === 'complete') void register();
    else window.addEventListener('load', () => void register(), { once: true });
  }

  /** The buyer's tap on the new version. Gives false when there is none yet. */
  async function take(): Promise<boolean> {
    // #ifdef MP-WEIXIN
    uni.getUpdateManager().applyUpdate();
    // #endif
    // #ifdef H5
    return takeOver();
    // #endif
    // #ifndef H5
    return true;
    // #endif
  }

  async function takeOver(): Promise<boolean> {
    if (registration === null) {
      location.reload();
      return true;
    }
    if (registration.waiting === null) await look();
    const worker = registration.waiting ?? registration.installing;
    if (worker === null) {
      // Nothing waits: another page took it, and this one only has to be opened again.
      if (!ready.value) return false;
      location.reload();
      return true;
    }
    taking = true;
    worker.postMessage('take over');
    return true;
  }

  return { ready, watch, look, take };
});
