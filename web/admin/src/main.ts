import './styles/base.css';

import { createPinia } from 'pinia';
import { createApp } from 'vue';

import App from './App.vue';
import { i18n } from './i18n';
import { leaveForSignIn, router } from './router';
import { usePrefs } from './stores/prefs';
import { whenUnauthenticated } from './transport';

// After a new release the old page's lazy parts are gone: load the new page, once.
const kReloadedAt = 'topup.reloaded_at';
window.addEventListener('vite:preloadError', () => {
  const last = Number(sessionStorage.getItem(kReloadedAt) ?? '0');
  if (Date.now() - last < 30_000) return;
  sessionStorage.setItem(kReloadedAt, String(Date.now()));
  window.location.reload();
});

const app = createApp(App).use(createPinia()).use(i18n);
whenUnauthenticated(leaveForSignIn);
await usePrefs().start();
app.use(router).mount('#app');
