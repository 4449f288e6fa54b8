// Where the pages run, as far as paying is concerned.
import type { PayScene } from '@api/types';
import { isInWechat } from './browser';

const kDesktopMedia = '(min-width: 900px)';

/** The ways to open a payment sheet here, the best first. */
export function scenesHere(): PayScene[] {
  // #ifdef MP-WEIXIN
  return ['mini_program'];
  // #endif
  // #ifndef MP-WEIXIN
  if (isInWechat()) return ['jsapi'];
  return isDesktop() ? ['native', 'h5'] : ['h5'];
  // #endif
}

function isDesktop(): boolean {
  // #ifdef H5
  return matchMedia(kDesktopMedia).matches && !matchMedia('(pointer: coarse)').matches;
  // #endif
  // #ifndef H5
  return false;
  // #endif
}
