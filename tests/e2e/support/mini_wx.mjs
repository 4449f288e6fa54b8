// `wx` as the base library has it, as far as a shop may use it: requests and sockets go over the network to the real shop, the
// rest plays the phone. Whatever is asked for and missing here is an error, not a silent nothing.
import { randomBytes } from 'node:crypto';
import http from 'node:http';

const kVersion = '3.5.0';
const kAgents = {
  android: 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 MicroMessenger/8.0.50 MiniProgramEnv/android miniProgram',
  ios: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50 miniProgram',
};

const post = async (url, body) => {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
};

/** Answers the way the base library does: by callback, later, and `complete` at the end. */
function answering(app, work) {
  return (options = {}) => {
    const end = (name, value) => {
      const local = app.local(JSON.stringify(value));
      app.guard(() => options[name]?.(local));
      app.guard(() => options.complete?.(local));
    };
    Promise.resolve().then(() => work(options)).then(
      (value) => end('success', { errMsg: 'ok', ...value }),
      (failed) => end('fail', { errMsg: failed.message, ...failed.more }));
  };
}
const failed = (message, more) => Object.assign(new Error(message), { more });

function isOwn(app, url) {
  const own = url.startsWith(`${app.shop.origin}/`) || url.startsWith(`${app.shop.origin.replace(/^http/, 'ws')}/`);
  app.calls.push({ url, own });
  return own;
}

function request(app, options) {
  const { url, method = 'GET', header = {}, data, responseType = 'text', success, fail, complete, timeout = 60_000 } = options;
  const end = (tell, value) => { app.guard(() => tell?.(value)); app.guard(() => complete?.(value)); };
  const refuse = (errMsg) => queueMicrotask(() => end(fail, app.local(JSON.stringify({ errMsg }))));
  if (!isOwn(app, url)) return refuse('request:fail url not in domain list');
  if (!app.phone.online) return refuse('request:fail ');
  const sent = http.request(url, { method, timeout, agent: false,
    headers: { 'user-agent': kAgents[app.phone.platform], referer: 'https://servicewechat.com/wx/0/page-frame.html', ...header } }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => {
      if (!app.phone.online) return end(fail, app.local('{"errMsg":"request:fail "}'));
      const bytes = Buffer.concat(parts);
      const value = app.local(JSON.stringify({ statusCode: answer.statusCode, header: answer.headers, errMsg: 'request:ok' }));
      value.data = responseType === 'arraybuffer' ? app.bytes(bytes) : bytes.toString();
      return end(success, value);
    });
  });
  sent.on('error', (error) => end(fail, app.local(JSON.stringify({ errMsg: `request:fail ${error.message}` }))));
  sent.on('timeout', () => sent.destroy(new Error('timeout')));
  sent.end(typeof data === 'string' ? data : data === undefined ? undefined : JSON.stringify(data));
  app.phone.requests.push(`${method} ${url.slice(app.shop.origin.length)}`);
  return { abort: () => sent.destroy(), onHeadersReceived() {}, offHeadersReceived() {} };
}

const kText = 1;
function frame(text, code = kText) {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head = payload.length < 126 ? Buffer.from([0x80 | code, 0x80 | payload.length])
    : Buffer.from([0x80 | code, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4])]);
}

/** Text frames of a server, one after the other, from a stream of bytes. */
function frames(take) {
  let held = Buffer.alloc(0);
  return (more) => {
    held = Buffer.concat([held, more]);
    for (;;) {
      if (held.length < 2) return;
      const short = held[1] & 127;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (held.length < start) return;
      const length = short < 126 ? short : short === 126 ? held.readUInt16BE(2) : Number(held.readBigUInt64BE(2));
      if (held.length < start + length) return;
      take(held[0] & 15, held.subarray(start, start + length));
      held = held.subarray(start + length);
    }
  };
}

function connectSocket(app, { url, complete }) {
  const heard = { open: [], message: [], close: [], error: [] };
  const tell = (name, value = {}) => { const local = app.local(JSON.stringify(value)); for (const one of heard[name]) app.guard(() => one(local)); };
  let line = null;
  let over = false;
  const end = (name) => {
    if (over) return;
    over = true;
    app.sockets.delete(line);
    line?.destroy();
    tell(name, { code: 1006, errMsg: 'socket closed' });
  };
  setTimeout(() => {
    app.guard(() => complete?.(app.local('{"errMsg":"connectSocket:ok"}')));
    if (app.closed || !isOwn(app, url) || !app.phone.online || !app.phone.hasSockets) return end('error');
    const asked = http.request(url.replace(/^ws/, 'http'), { agent: false, headers: { connection: 'Upgrade', upgrade: 'websocket',
      'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'), origin: app.shop.origin } });
    asked.on('upgrade', (_answer, socket, head) => {
      if (over) return socket.destroy();
      line = socket;
      app.sockets.add(socket);
      const read = frames((code, bytes) => {
        if (code === kText) tell('message', { data: bytes.toString() });
        if (code === 8) end('close');
      });
      socket.on('data', read);
      socket.on('close', () => end('close'));
      socket.on('error', () => end('error'));
      tell('open', { header: {} });
      return read(head);
    });
    asked.on('response', () => end('error'));
    asked.on('error', () => end('error'));
    return asked.end();
  }, 0);
  const on = (name) => (listener) => heard[name].push(listener);
  return { onOpen: on('open'), onMessage: on('message'), onClose: on('close'), onError: on('error'),
    send: ({ data }) => line?.write(frame(data)), close: () => end('close') };
}

// The sheet, as the buyer sees it after the app has handed over what the shop signed.
async function requestPayment(app, options) {
  const names = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'];
  for (const name of names) if (typeof options[name] !== 'string') throw failed(`requestPayment:fail parameter error: ${name}`);
  if (!options.package.startsWith('prepay_id=') || options.signType !== 'RSA') throw failed('requestPayment:fail');
  app.calls.push({ payment: options.package });
  if (app.phone.pays === 'cancels') throw failed('requestPayment:fail cancel');
  if (app.phone.pays === 'claims') return {};
  const prepay = options.package.slice('prepay_id='.length);
  const sheet = await (await fetch(`${app.shop.wechat}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${prepay}`)).text();
  const token = sheet.match(/name="token" value="([^"]+)"/)?.[1];
  if (!token) throw failed('requestPayment:fail the sheet does not open');
  await fetch(`${app.shop.wechat}/sheet/pay`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ prepay_id: prepay, token }) });
  return {};
}

function storage(app) {
  const { storage: kept } = app.phone;
  return {
    getStorageSync: (key) => (kept.has(key) ? kept.get(key) : ''),
    setStorageSync: (key, value) => void kept.set(key, value),
    removeStorageSync: (key) => void kept.delete(key),
    getStorageInfoSync: () => app.local(JSON.stringify({ keys: [...kept.keys()], currentSize: 1, limitSize: 10240 })),
    setStorage: answering(app, ({ key, data }) => void kept.set(key, data)),
    getStorage: answering(app, ({ key }) => ({ data: kept.get(key) })),
    removeStorage: answering(app, ({ key }) => void kept.delete(key)),
  };
}

function device(app) {
  const { platform, language, fontSize } = app.phone;
  const system = { brand: 'played', model: 'played', platform, language, version: '8.0.50', SDKVersion: kVersion, theme: 'light',
    system: platform === 'ios' ? 'iOS 17.0' : 'Android 14', screenWidth: 390, screenHeight: 844, windowWidth: 390, windowHeight: 844,
    pixelRatio: 3, statusBarHeight: 47, fontSizeSetting: fontSize, fontSizeScaleFactor: fontSize / 16, safeArea: { left: 0, right: 390,
      top: 47, bottom: 810, width: 390, height: 763 }, host: { env: 'WeChat' }, enableDebug: false };
  const all = () => app.local(JSON.stringify(system));
  return {
    getSystemInfoSync: all, getDeviceInfo: all, getWindowInfo: all, getAppBaseInfo: all, getSystemSetting: all, getAppAuthorizeSetting: all,
    getSystemInfo: answering(app, () => system),
    getMenuButtonBoundingClientRect: () => app.local('{"top":51,"bottom":83,"left":296,"right":383,"width":87,"height":32}'),
    getAccountInfoSync: () => app.local('{"miniProgram":{"appId":"wx0123456789abcdef","envVersion":"release","version":"1"}}'),
    getLaunchOptionsSync: () => app.local(JSON.stringify(app.launchOptions)),
    getEnterOptionsSync: () => app.local(JSON.stringify(app.launchOptions)),
    canIUse: () => true,
    getUpdateManager: () => ({ onCheckForUpdate() {}, onUpdateReady: (told) => { app.updateReady = told; }, onUpdateFailed() {},
      applyUpdate: () => app.calls.push({ applied: 'update' }) }),
    getNetworkType: answering(app, () => ({ networkType: app.phone.online ? 'wifi' : 'none' })),
    arrayBufferToBase64: (buffer) => Buffer.from(new Uint8Array(buffer)).toString('base64'),
    base64ToArrayBuffer: (text) => app.bytes(Buffer.from(text, 'base64')),
  };
}

function person(app) {
  return {
    login: answering(app, async () => {
      if (!app.phone.online) throw failed('login:fail network');
      app.calls.push({ login: app.phone.person });
      return { code: (await post(`${app.shop.platform}/control/login`, { person: app.phone.person })).code };
    }),
    checkSession: answering(app, () => ({})),
    getPrivacySetting: answering(app, () => ({ needAuthorization: app.phone.privacyAsked, privacyContractName: '《隐私保护指引》' })),
    onNeedPrivacyAuthorization: (told) => { app.needPrivacy = told; },
    requirePrivacyAuthorize: answering(app, () => new Promise((done, fail) => {
      if (!app.phone.privacyAsked) return done({});
      const resolve = ({ event }) => {
        if (event === 'agree') { app.phone.privacyAsked = false; done({}); }
        if (event === 'disagree') fail(failed('requirePrivacyAuthorize:fail privacy permission is not authorized', { errno: 104 }));
      };
      if (!app.needPrivacy) return fail(failed('requirePrivacyAuthorize:fail nobody asks'));
      return app.needPrivacy(resolve, app.local('{"referrer":"requirePrivacyAuthorize"}'));
    })),
    openPrivacyContract: answering(app, () => { app.calls.push({ opened: 'privacy contract' }); }),
    requestPayment: answering(app, (options) => requestPayment(app, options)),
    requestSubscribeMessage: answering(app, ({ tmplIds }) => {
      if (tmplIds.length === 0 || tmplIds.length > 3) throw failed('requestSubscribeMessage:fail', { errCode: 20003 });
      app.calls.push({ subscribe: [...tmplIds] });
      return Object.fromEntries(tmplIds.map((id) => [id, app.phone.subscribes]));
    }),
    setClipboardData: answering(app, ({ data }) => { app.clipboard = data; }),
    getClipboardData: answering(app, () => ({ data: app.clipboard ?? '' })),
    chooseContact: answering(app, () => {
      if (app.phone.privacyAsked) throw failed('chooseContact:fail privacy permission is not authorized');
      return { phoneNumber: app.phone.contact, displayName: '妈妈', phoneNumberList: [app.phone.contact] };
    }),
    makePhoneCall: answering(app, ({ phoneNumber }) => { app.calls.push({ dialled: phoneNumber }); }),
    getLocation: answering(app, () => { throw failed('getLocation:fail auth deny'); }),
    getFuzzyLocation: answering(app, () => { throw failed('getFuzzyLocation:fail auth deny'); }),
    chooseLocation: answering(app, () => { throw failed('chooseLocation:fail cancel'); }),
    scanCode: answering(app, () => { throw failed('scanCode:fail cancel'); }),
  };
}

function shell(app) {
  const listen = (name) => (told) => { ((app.listeners ??= {})[name] ??= new Set()).add(told); };
  const unlisten = (name) => (told) => app.listeners?.[name]?.delete(told);
  return {
    navigateTo: answering(app, ({ url }) => app.push(url)),
    redirectTo: answering(app, ({ url }) => app.replace(url)),
    reLaunch: answering(app, ({ url }) => app.relaunch(url)),
    switchTab: answering(app, ({ url }) => app.relaunch(url)),
    navigateBack: answering(app, ({ delta = 1 }) => app.back(delta)),
    setNavigationBarTitle: answering(app, () => ({})), setNavigationBarColor: answering(app, () => ({})),
    setBackgroundColor: answering(app, () => ({})), setBackgroundTextStyle: answering(app, () => ({})),
    stopPullDownRefresh: answering(app, () => ({})), pageScrollTo: answering(app, () => ({})), showShareMenu: answering(app, () => ({})),
    showToast: answering(app, ({ title }) => { app.calls.push({ toast: title }); }), hideToast() {}, showLoading: answering(app, () => ({})), hideLoading() {},
    showModal: answering(app, ({ title, content }) => { app.calls.push({ modal: title, content }); return { confirm: true, cancel: false }; }),
    showActionSheet: answering(app, () => ({ tapIndex: 0 })),
    onAppShow: listen('show'), offAppShow: unlisten('show'), onAppHide: listen('hide'), offAppHide: unlisten('hide'),
    onNetworkStatusChange: listen('network'), offNetworkStatusChange: unlisten('network'),
    onThemeChange: listen('theme'), offThemeChange: unlisten('theme'), onWindowResize: listen('resize'), offWindowResize: unlisten('resize'),
    onError: listen('error'), offError() {}, onUnhandledRejection: listen('rejection'), offUnhandledRejection() {},
    onPageNotFound: listen('not found'), onMemoryWarning: listen('memory'), nextTick: (run) => queueMicrotask(() => app.guard(run)),
    createSelectorQuery: () => { throw new Error('nothing is laid out here'); },
    request: (options) => request(app, options),
    connectSocket: (options) => connectSocket(app, options),
  };
}

/** The `wx` of one app. */
export function makeWx(app) {
  const wx = { ...storage(app), ...device(app), ...person(app), ...shell(app), env: { USER_DATA_PATH: 'wxfile://usr' } };
  wx.preloadAssets = () => app.calls.push({ url: 'preloadAssets', own: false });
  wx.cloud = undefined;
  return wx;
}
