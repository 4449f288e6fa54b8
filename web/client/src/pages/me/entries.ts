// The rows of the "me" page, in the order they are shown. A subject adds its own row here.
import type { Word } from '@/i18n';
import {
  openCoupons, openDrafts, openFind, openHelp, openInbox, openMember, openPrivacy, openRecipients, openSecurity, openSettings, openStations,
} from '@/navigate';
import { useDrafts } from '@/stores/drafts';
import { useMe } from '@/stores/me';
import { useOffers } from '@/stores/offers';
import { useShop } from '@/stores/shop';

export interface Entry {
  word: Word;
  /** Its data-test name. */
  test: string;
  open: () => void;
  /** Left out: always shown. */
  shown?: () => boolean;
}

export const entries: Entry[] = [
  { word: 'recipients.heading', test: 'me-recipients', open: openRecipients },
  { word: 'me.drafts', test: 'me-drafts', open: openDrafts, shown: () => useDrafts().count > 0 },
  { word: 'coupon.heading', test: 'me-coupons', open: openCoupons, shown: () => useOffers().hasCoupons },
  { word: 'member.heading', test: 'me-member', open: openMember, shown: () => useOffers().hasLevels },
  { word: 'stations.heading', test: 'me-stations', open: openStations, shown: () => useShop().offers.stations },
  { word: 'me.inbox', test: 'me-inbox', open: openInbox },
  { word: 'me.find', test: 'me-find', open: openFind, shown: () => !useMe().signedIn },
  { word: 'me.security', test: 'me-security', open: openSecurity, shown: () => useMe().signedIn },
  { word: 'me.privacy', test: 'me-privacy', open: openPrivacy },
  { word: 'me.settings', test: 'me-settings', open: openSettings },
  { word: 'me.help', test: 'me-help', open: () => openHelp() },
];
