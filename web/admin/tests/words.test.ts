import { describe, expect, it } from 'vitest';

import { kStates } from '../src/format/state';
import en from '../src/i18n/en';
import zh from '../src/i18n/zh';

type Tree = { [key: string]: string | Tree };

function leaves(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[`${path}${key}`, value]] : leaves(value, `${path}${key}.`),
  );
}
const slots = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe('words', () => {
  const chinese = new Map(leaves(zh));
  const english = new Map(leaves(en));

  it('both languages have the same words with the same slots', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
    for (const [key, text] of chinese)
      expect([key, slots(english.get(key) ?? '')]).toEqual([key, slots(text)]);
  });
  it('no English text holds Chinese characters, but for the name of the other language', () => {
    const mixed = [...english].filter(
      ([key, text]) => key !== 'shell.language' && /\p{Script=Han}/u.test(text),
    );
    expect(mixed).toEqual([]);
  });
  it('no text holds a character that the message compiler reads as syntax', () => {
    expect([...chinese, ...english].filter(([, text]) => /[@|]/.test(text))).toEqual([]);
  });
  it('every state has a name', () => {
    expect(kStates.filter((state) => !(state in zh.state))).toEqual([]);
  });
});
