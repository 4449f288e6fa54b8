// WeChat compiles style sheets itself and refuses a whole package for a selector it does not know. What is meant for
// browsers only stays in the sources and is left out of the mini-program.
import type { Plugin } from 'vite';

interface Rule {
  selectors: string[];
  parent?: { type: string; name?: string };
  remove(): void;
}

const kUnknown = [/\*/, /:has\(/, /(^|[\s>+~])(html|body|uni-[\w-]+)\b/, /:root\b/, /:focus-visible/, /(^|[\s>+~]):/, /\[[^\]]*\]/];

function isKnown(selector: string): boolean {
  return !kUnknown.some((pattern) => pattern.test(selector));
}

const kPlain = {
  postcssPlugin: 'plain-wxss',
  Rule(rule: Rule) {
    if (rule.parent?.type === 'atrule' && /keyframes$/.test(rule.parent.name ?? '')) return;
    const known = rule.selectors.filter(isKnown);
    if (known.length === rule.selectors.length) return;
    if (known.length === 0) rule.remove();
    else rule.selectors = known;
  },
};

export function plainWxss(platform: string | undefined): Plugin {
  return {
    name: 'plain-wxss',
    enforce: 'post',
    configResolved(config) {
      if (platform !== 'mp-weixin') return;
      const { postcss } = config.css ?? {};
      if (typeof postcss !== 'object') throw new Error('The style sheets have another way through the build; read it again.');
      (postcss.plugins ??= []).push(kPlain as never);
    },
  };
}
