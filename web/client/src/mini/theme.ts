// The shop's theme on a page without a document: the frame of each page carries the tokens.
import { kThemes, type ThemeName } from '@api/themes';
import { computed, ref } from 'vue';
import { host } from './host';

export const miniTheme = ref<ThemeName>('ink');
const isDark = ref(host.getAppBaseInfo?.().theme === 'dark');
host.onThemeChange?.(({ theme }) => (isDark.value = theme === 'dark'));

export const themeStyle = computed(() => {
  const { brand, radius } = kThemes[miniTheme.value];
  return `--brand:${brand[isDark.value ? 1 : 0]};--radius:${radius[0]}px;--radius-large:${radius[1]}px`;
});
