// What the shop does not sell in the mini-program on an iPhone. The server refuses it as well; saying so early spares a tap.
import { core } from '@/core/topup';
import { useShop } from '@/stores/shop';
import { isIos } from './device';

export function isKeptOffIos(productId: string, operatorId: string): boolean {
  const kinds = useShop().service.not_on_ios ?? [];
  if (kinds.length === 0 || !isIos()) return false;
  const product = core.value?.listProducts(operatorId).find((one) => one.id === productId);
  return product !== undefined && kinds.includes(product.kind);
}
