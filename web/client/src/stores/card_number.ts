// A fuel card's number: typed twice, because a wrong card cannot be called back.
import type { CardCheck, CardComparison, CardIssuer } from '@topup/core';
import { core } from '@/core/topup';

const kNoCard: CardCheck = {
  verdict: 'empty', digits: '', issuer: 'none', bad_at: -1, reason: '', province_doubtful: false, prefix_doubtful: false, masked: '',
};

export function checkCard(typed: string, issuer: CardIssuer): CardCheck {
  return core.value?.checkCard(typed, issuer) ?? kNoCard;
}

/** null until something has been typed the second time. */
export function compareCards(first: string, second: string): CardComparison | null {
  return second.trim() === '' ? null : core.value?.sameCard(first, second) ?? null;
}

/** "1000 1132 0000 0000 001" as far as it has been typed; text that is no card stays as it is. */
export function cardShape(typed: string): string {
  const digits = typed.normalize('NFKC').replace(/[\s-]/g, '');
  return /^\d+$/.test(digits) ? digits.replace(/(\d{4})(?=\d)/g, '$1 ') : typed;
}
