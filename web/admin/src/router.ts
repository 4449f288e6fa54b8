import { createRouter, createWebHistory } from 'vue-router';

import { useSession } from './stores/session';

export const router = createRouter({
  history: createWebHistory('/admin/'),
  routes: [
    { path: '/sign-in', name: 'sign-in', component: () => import('./views/SignIn.vue') },
    {
      path: '/',
      component: () => import('./views/Shell.vue'),
      children: [
        { path: '', name: 'home', component: () => import('./views/Home.vue') },
        { path: 'orders', name: 'orders', component: () => import('./views/Orders.vue') },
      ],
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
  if (session.who !== null || session.problem !== null) return true;
  return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } };
});

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
