// What the button of the home page says: always the next thing to do.
import { moneyText } from '@/format';
import { t } from '@/i18n';
import type { useBasket } from './basket';

export interface NextStep {
  text: string;
  enabled: boolean;
}
type Basket = ReturnType<typeof useBasket>;

function waiting(text: string): NextStep {
  return { text, enabled: false };
}

function numberStep({ check, missing }: Basket): NextStep | null {
  if (check.verdict === 'empty') return waiting(t('home.need_number'));
  if (check.verdict === 'incomplete') {
    return waiting(missing > 0 ? t('home.need_whole_number', { count: missing }) : t('home.need_number_more'));
  }
  return check.verdict === 'impossible' ? waiting(t('home.need_right_number')) : null;
}

function cardStep({ cardCheck, cardSame }: Basket): NextStep | null {
  if (cardCheck.verdict === 'empty') return waiting(t('home.need_card'));
  if (cardCheck.verdict === 'incomplete') return waiting(t('home.need_whole_card'));
  if (cardCheck.verdict === 'impossible') return waiting(t('home.need_right_card'));
  if (cardSame === null || cardSame.verdict === 'incomplete') return waiting(t('home.need_card_again'));
  return cardSame.verdict === 'differs' ? waiting(t('home.need_same_card')) : null;
}

/** `keepsDrafts`: what is chosen without a network can be kept. */
export function nextStep(basket: Basket, hasPrices: boolean, online: boolean, keepsDrafts = false): NextStep {
  if (!online && !keepsDrafts) return waiting(t('offline.button'));
  const recipient = basket.asksNumber ? numberStep(basket) : basket.kind === 'fuel_card' ? cardStep(basket) : null;
  if (recipient !== null) return recipient;
  if (!hasPrices) return waiting(t('home.prices_wait'));
  if (basket.operator === null) return waiting(t('home.need_operator'));
  if (basket.product === null) return waiting(t('home.need_face'));
  if (!basket.hasAmount) return waiting(t(basket.amount?.verdict === 'empty' ? 'home.need_amount' : 'home.need_right_amount'));
  if (basket.quote === null) return waiting(t('home.go_asking'));
  return { text: t(online ? 'home.go' : 'offline.look', { amount: moneyText(basket.quote.payable) }), enabled: true };
}
