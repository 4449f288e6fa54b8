import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router';

import { kPages, routesOf } from './pages';
import { useSession } from './stores/session';

export const router = createRouter({
  history: createWebHistory('/admin/'),
  routes: [
    { path: '/sign-in', name: 'sign-in', component: () => import('./views/SignIn.vue') },
    {
      path: '/',
      component: () => import('./views/Shell.vue'),
      children: routesOf(kPages),
    },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (to, from, saved) => {
    if (to.hash !== '') return { el: to.hash, top: 60 };
    return to.path === from.path ? undefined : (saved ?? { top: 0 });
  },
});

router.beforeEach(async (to) => {
  const session = useSession();
  await session.ask();
  if (to.name === 'sign-in') return session.who === null ? true : '/';
  // With a problem App.vue shows that instead of the page.
  if (session.problem !== null) return true;
  if (session.who !== null) return allowed(to);
  return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } };
});

// The first page of the menu that this person may open.
export function firstPage(): string {
  const session = useSession();
  const page = kPages.find(
    ({ group, permission }) =>
      group !== undefined && (permission === undefined || session.may(permission)),
  );
  return page?.name ?? 'me';
}

function allowed(to: RouteLocationNormalized): true | { name: string; query?: Record<string, string> } {
  const session = useSession();
  if (session.isHeld()) return to.name === 'me' ? true : { name: 'me' };
  const wanted = to.meta.permission;
  if (typeof wanted !== 'string' || session.may(wanted)) return true;
  // Home is where people land; a page that was asked for by name says why it does not open.
  return to.name === 'home' ? { name: firstPage() } : { name: 'forbidden', query: { need: wanted } };
}

// The session ended under an open page. A fresh page load also forgets everything the old session had read.
export function leaveForSignIn(): void {
  const now = router.currentRoute.value;
  if (now.name === 'sign-in') return;
  const query = new URLSearchParams({ ended: '1', next: now.fullPath });
  window.location.replace(`/admin/sign-in?${query}`);
}

// Only a path of this console; anything else leads home.
export function safeNext(value: unknown): string {
  return typeof value === 'string' && /^\/(?![/\\])/.test(value) && !value.startsWith('/sign-in')
    ? value
    : '/';
}
