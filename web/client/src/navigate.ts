// Where the pages are. The only place with their addresses.
const kHome = '/pages/home/home';
const kConfirm = '/pages/confirm/confirm';
const kOrder = '/pages/order/order';
const kOrders = '/pages/orders/orders';
const kRecipients = '/pages/recipients/recipients';
const kCountry = '/pages/country/country';
const kMe = '/pages/me/me';

export type Tab = 'home' | 'orders' | 'me';
const kTabs: Record<Tab, string> = { home: kHome, orders: kOrders, me: kMe };

function pathOf(page: unknown): string {
  const { route } = page as { route?: string };
  return `/${route ?? ''}`;
}

/** Home always lies under the other two, so that "back" leads there and then out of the shop, however often tabs change. */
export function openTab(tab: Tab): void {
  const under = getCurrentPages().map(pathOf);
  const url = kTabs[tab];
  if (under[under.length - 1] === url) return;
  const at = under.lastIndexOf(url);
  if (at >= 0) uni.navigateBack({ delta: under.length - 1 - at });
  else if (tab === 'home') uni.reLaunch({ url });
  else if (under.length > 1) uni.redirectTo({ url });
  else if (under[0] === kHome) uni.navigateTo({ url });
  else uni.redirectTo({ url });
}

export function goHome(): void {
  uni.reLaunch({ url: kHome });
}

/** One page back; home when this page was opened directly. */
export function goBack(): void {
  if (getCurrentPages().length > 1) uni.navigateBack();
  else goHome();
}

export function openConfirm(): void {
  uni.navigateTo({ url: kConfirm });
}

export function openRecipients(): void {
  uni.navigateTo({ url: kRecipients });
}

export function openCountries(): void {
  uni.navigateTo({ url: kCountry });
}

export function openOrders(): void {
  uni.navigateTo({ url: kOrders });
}

export function openOrder(orderId: string): void {
  uni.navigateTo({ url: `${kOrder}?id=${encodeURIComponent(orderId)}` });
}

/** The order takes the confirm page's place, so that "back" does not lead to a form that was already sent. */
export function replaceWithOrder(orderId: string): void {
  uni.redirectTo({ url: `${kOrder}?id=${encodeURIComponent(orderId)}` });
}

const kDrafts = '/pages/drafts/drafts';

export function openDrafts(): void {
  uni.navigateTo({ url: kDrafts });
}

/** The list takes the confirm page's place: "back" leads to the number, not to what has been kept. */
export function replaceWithDrafts(): void {
  uni.redirectTo({ url: kDrafts });
}

/** Leaves for the payment sheet. */
export function leaveTo(address: string): void {
  // #ifdef H5
  location.href = address;
  // #endif
  // #ifndef H5
  void address;
  // #endif
}

export function openCoupons(): void {
  uni.navigateTo({ url: '/pages/coupons/coupons' });
}

export function openMember(): void {
  uni.navigateTo({ url: '/pages/member/member' });
}

export function openStations(): void {
  uni.navigateTo({ url: '/pages/stations/stations' });
}

export function openStation(stationId: string): void {
  uni.navigateTo({ url: `/pages/station/station?id=${encodeURIComponent(stationId)}` });
}

const kSignIn = '/pages/sign_in/sign_in';

/** `proven`: the browser comes back from WeChat, which has said who this is. */
export function signInPath(purpose: 'sign_in' | 'bind', proven = false): string {
  return `/#${kSignIn}?purpose=${purpose}${proven ? '&proven=1' : ''}`;
}
export function openSignIn(purpose: 'sign_in' | 'bind'): void {
  uni.navigateTo({ url: `${kSignIn}?purpose=${purpose}` });
}
export function openSettings(): void {
  uni.navigateTo({ url: '/pages/settings/settings' });
}
export function openSecurity(): void {
  uni.navigateTo({ url: '/pages/security/security' });
}
export function openPrivacy(): void {
  uni.navigateTo({ url: '/pages/privacy/privacy' });
}
export function openInbox(): void {
  uni.navigateTo({ url: '/pages/inbox/inbox' });
}
export function openFind(): void {
  uni.navigateTo({ url: '/pages/find/find' });
}
export function openAgreement(document: 'terms' | 'privacy'): void {
  uni.navigateTo({ url: `/pages/agreement/agreement?document=${document}` });
}
/** Help that already knows which order it is about. */
export function openHelp(orderId = ''): void {
  uni.navigateTo({ url: `/pages/help/help?order=${encodeURIComponent(orderId)}` });
}
