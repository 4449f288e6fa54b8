// The places of the shop that a banner, a notice or an entry may lead to, by the names of the server. Never an address.
import type { ProductKind } from '@topup/core';
import type { Word } from '@/i18n';
import { openCoupons, openFind, openHelp, openInbox, openMember, openOrders, openRecipients, openStations } from '@/navigate';
import { useBasket } from '@/stores/basket';
import { useOffers } from '@/stores/offers';
import { useShop } from '@/stores/shop';

export interface Place {
  word: Word;
  open: () => void;
  shown: () => boolean;
}

function page(word: Word, open: () => void, shown: () => boolean = () => true): Place {
  return { word, open, shown };
}
function goods(word: Word, kind: ProductKind): Place {
  return page(word, () => useBasket().pickKind(kind), () => useBasket().kinds.includes(kind));
}

const kPlaces: Record<string, Place> = {
  orders: page('tab.orders', openOrders),
  recipients: page('recipients.heading', openRecipients),
  coupons: page('coupon.heading', openCoupons, () => useOffers().hasCoupons),
  member: page('member.heading', openMember, () => useOffers().hasLevels),
  stations: page('stations.heading', openStations, () => useShop().offers.stations),
  inbox: page('me.inbox', openInbox),
  help: page('me.help', () => openHelp()),
  find: page('me.find', openFind),
  airtime: goods('kind.airtime', 'airtime'),
  data: goods('kind.data', 'data'),
  fuel_card: goods('kind.fuel_card', 'fuel_card'),
  pin: goods('kind.pin', 'pin'),
};

/** Null for what does not lead anywhere, in this shop or at all. */
export function placeOf(name: string): Place | null {
  const place = Object.prototype.hasOwnProperty.call(kPlaces, name) ? kPlaces[name] : undefined;
  return place?.shown() ? place : null;
}
