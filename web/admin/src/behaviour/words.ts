// Server words in the reader's language; a word we do not know is shown as it came.
import { useI18n } from 'vue-i18n';

import type { Operator } from '../api/types';
import { spanOf } from '../format/time';
import type { Problem } from '../transport';

export function useWords() {
  const { t, te, locale } = useI18n();

  const word = (group: string, name: string) => (te(`${group}.${name}`) ? t(`${group}.${name}`) : name);

  // "asset.channel_clearing.wechat" is one account of the chart and the party it is kept for.
  function accountName(code: string): string {
    const [kind, account, party] = code.split('.');
    const name = word('account', `${kind}.${account}`);
    if (name === `${kind}.${account}`) return code;
    return party === undefined ? name : `${name} · ${word('party', party)}`;
  }

  function operatorName(operator: Partial<Operator> | undefined): string {
    const name = locale.value === 'zh' ? operator?.name_zh : operator?.name_en;
    return name ?? operator?.id ?? '';
  }

  function reasonText(problem: Problem): string {
    if (te(`reason.${problem.reason}`)) return t(`reason.${problem.reason}`);
    if (te(`reason.http_${problem.status}`)) return t(`reason.http_${problem.status}`);
    return t('reason.other', { reason: problem.reason });
  }

  function spanText(ms: number): string {
    const { unit, a, b } = spanOf(ms);
    return t(`span.${unit}`, { a, b });
  }

  return { t, te, locale, word, accountName, operatorName, reasonText, spanText };
}
