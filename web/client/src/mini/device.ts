// What the phone says about itself.
import { host } from './host';

const kPlainFontSize = 16;
const kLargest = 1.6; // beyond it the tiles would break; the buyer can still pinch

export function isIos(): boolean {
  const platform = host.getDeviceInfo?.().platform ?? uni.getSystemInfoSync().platform;
  return platform === 'ios';
}

const kSizes: Record<string, number> = { '--text-small': 12, '--text': 14, '--text-large': 16, '--text-title': 20, '--text-figure': 32 };

/** The buyer's text size in WeChat, as the page's own text tokens. '' for the usual size. */
export function textScaleStyle(): string {
  const info = host.getAppBaseInfo?.() ?? {};
  const factor = info.fontSizeScaleFactor ?? (info.fontSizeSetting ?? kPlainFontSize) / kPlainFontSize;
  const scale = Math.min(kLargest, factor);
  if (!(scale > 1)) return '';
  return Object.entries(kSizes).map(([name, size]) => `${name}:${Math.round(size * scale)}px`).join(';');
}
