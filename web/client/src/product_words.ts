// What a product is called, wherever it is shown.
import type { Country, Money, Operator, ProductKind } from '@topup/core';
import { wholeMoneyText } from './format';
import { locale, t } from './i18n';

interface Named {
  name_zh: string;
  name_en: string;
}

export function nameOf(named: Named | Operator | Country | null): string {
  if (named === null) return '';
  return (locale.value === 'zh' ? named.name_zh : named.name_en) || named.name_en || named.name_zh;
}

/** "话费 ¥100", "流量 10 GB, 30 days": a bundle's own name says more than its face. */
export function productText(kind: ProductKind, face: Money, name = ''): string {
  return t(`product.${kind}`, { amount: kind === 'data' && name !== '' ? name : wholeMoneyText(face) });
}

export function validityText(days: number): string {
  if (days === 1) return t('home.validity_one');
  return days > 0 ? t('home.validity', { days }) : t('home.validity_operator');
}

const kFuelSellers = ['cn-sinopec', 'cn-petrochina'];

/** An order does not say its kind. Its product's id does: operator, kind where it is not the usual one, amount. */
export function kindOfProduct(productId: string, operatorId: string): ProductKind {
  const rest = productId.slice(operatorId.length);
  if (rest.startsWith('-data-')) return 'data';
  if (rest.startsWith('-pin-')) return 'pin';
  return kFuelSellers.includes(operatorId) ? 'fuel_card' : 'airtime';
}

/** A territory that the shop does not sell to, so that its price book does not name it either. */
export function territoryText(iso2: string): string {
  try {
    return new Intl.DisplayNames(locale.value === 'zh' ? 'zh-CN' : 'en', { type: 'region' }).of(iso2) ?? iso2;
  } catch {
    return iso2;
  }
}
