// Where the pages are. The only place with their addresses.
const kHome = '/pages/home/home';
const kConfirm = '/pages/confirm/confirm';
const kOrder = '/pages/order/order';
const kOrders = '/pages/orders/orders';

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

/** Leaves for the payment sheet. */
export function leaveTo(address: string): void {
  // #ifdef H5
  location.href = address;
  // #endif
  // #ifndef H5
  void address;
  // #endif
}
