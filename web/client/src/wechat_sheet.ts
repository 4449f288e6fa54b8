// WeChat's own payment sheet, in its browser and in the mini-program. What it answers is a hint: the server knows who has paid.
export type SheetEnd = 'paid' | 'cancelled' | 'failed';

// #ifdef H5
type Bridge = { invoke(name: string, values: Record<string, string>, done: (answer: { err_msg?: string }) => void): void };
const kBridgeMs = 5_000;

function bridge(): Promise<Bridge | null> {
  const here = () => (window as unknown as { WeixinJSBridge?: Bridge }).WeixinJSBridge ?? null;
  const ready = here();
  if (ready !== null) return Promise.resolve(ready);
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(here()), kBridgeMs);
    document.addEventListener('WeixinJSBridgeReady', () => {
      clearTimeout(late);
      resolve(here());
    }, { once: true });
  });
}

async function openInBrowser(invoke: Record<string, string>): Promise<SheetEnd> {
  const found = await bridge();
  if (found === null) return 'failed';
  return new Promise((resolve) => {
    found.invoke('getBrandWCPayRequest', invoke, ({ err_msg: said = '' }) => {
      if (said.endsWith(':ok')) resolve('paid');
      else resolve(said.endsWith(':cancel') ? 'cancelled' : 'failed');
    });
  });
}
// #endif

/** `invoke` is what the server signed; nothing of it is changed here. */
export function openWechatSheet(invoke: Record<string, string>): Promise<SheetEnd> {
  // #ifdef H5
  return openInBrowser(invoke);
  // #endif
  // #ifdef MP-WEIXIN
  return new Promise((resolve) => {
    uni.requestPayment({
      ...(invoke as unknown as UniApp.RequestPaymentOptions),
      success: () => resolve('paid'),
      fail: (failed: { errMsg?: string }) => resolve(/cancel/.test(failed.errMsg ?? '') ? 'cancelled' : 'failed'),
    });
  });
  // #endif
  // #ifndef H5 || MP-WEIXIN
  return Promise.resolve('failed');
  // #endif
}
