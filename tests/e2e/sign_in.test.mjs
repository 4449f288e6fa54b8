// Buyers who become somebody, over real HTTP: WeChat's mini-program and official account, codes by message, merging,
// sessions, and paying inside WeChat.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Buyer, Shop } from './support/shop.mjs';

let shop;
before(async () => { shop = await Shop.start({ speed: 20 }); });
after(async () => {
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

const post = async (url, body) => {
  const response = await fetch(url, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(response.status, 200, url);
  return response.json();
};
const loginCode = async (person, more = {}) => (await post(`${shop.platform}/control/login`, { person, ...more })).code;
const sharedPhone = async (phone) => (await post(`${shop.platform}/control/phone`, { phone })).code;
const inbox = async () => (await (await fetch(`${shop.sms}/inbox`)).json()).messages;

function withToken(token) {
  const buyer = new Buyer();
  buyer.shop = shop;
  buyer.token = token;
  return buyer;
}
async function miniLogin(person, { token, ...more } = {}) {
  return shop.call('POST', '/api/v1/sign-in/wechat-mini', {
    body: { code: await loginCode(person, more) }, headers: token ? { authorization: `Bearer ${token}` } : {} });
}
async function smsCode(phone, { purpose = 'sign_in', token } = {}) {
  const asked = await shop.call('POST', '/api/v1/sign-in/sms/code', {
    body: { phone, purpose }, headers: token ? { authorization: `Bearer ${token}` } : {} });
  assert.equal(asked.status, 202, asked.text);
  const digits = phone.replace(/\D/g, '').slice(-11);
  return (await inbox()).find((message) => message.to === `+86${digits}`).params.code;
}
/** A browser that goes to WeChat and comes back; its cookie and the answer that leads home. */
async function journey(person, returnPath = '/#/pages/orders') {
  await post(`${shop.platform}/control/person`, { person });
  const start = await shop.call('GET', `/api/v1/sign-in/wechat-oa/start?return_path=${encodeURIComponent(returnPath)}`);
  assert.equal(start.status, 302, start.text);
  const setCookie = start.headers.get('set-cookie');
  const agreed = await fetch(start.headers.get('location'), { redirect: 'manual' });
  assert.equal(agreed.status, 303);
  const back = agreed.headers.get('location').slice(shop.origin.length);
  return { cookie: setCookie.split(';')[0], setCookie, back };
}

test('F046: a mini-program signs in silently; its code works once, and the same person is the same user', async () => {
  const code = await loginCode('alice');
  const first = await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } });
  assert.equal(first.status, 200, first.text);
  const again = await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } });
  assert.equal(again.status, 401);
  assert.equal(again.json.reason, 'wechat_code_invalid');
  const later = await miniLogin('alice');
  assert.equal(later.json.user_id, first.json.user_id);
  assert.notEqual(later.json.token, first.json.token);
  const me = (await withToken(later.json.token).call('GET', '/api/v1/me')).json;
  assert.equal(me.level, 'wechat');
  assert.deepEqual(me.identities.map((identity) => identity.kind), ['wechat_mini']);
  assert.match(me.identities[0].masked, /^o..\*\*\*\*...$/);
});

test('A-05: a guest goes on in place with a new token, and the old one is dead', async () => {
  const guest = await Buyer.arrive(shop);
  const order = (await guest.place('13800001234')).json;
  const signedIn = await miniLogin('bob', { token: guest.token });
  assert.equal(signedIn.status, 200, signedIn.text);
  assert.equal((await guest.call('GET', '/api/v1/orders')).json.reason, 'session_ended');
  const bob = withToken(signedIn.json.token);
  assert.deepEqual((await bob.call('GET', '/api/v1/orders')).json.orders.map((one) => one.order_id), [order.order_id]);
});

test('F050: a guest with orders is merged into the account of its identity with consent only', async () => {
  const owner = (await miniLogin('carol')).json;
  const guest = await Buyer.arrive(shop);
  const order = (await guest.place('13800001234')).json;
  const asked = await miniLogin('carol', { token: guest.token });
  assert.equal(asked.status, 409);
  assert.equal(asked.json.reason, 'merge_needed');
  const { merge_token: mergeToken } = asked.json;
  const merge = (buyer, consent) => buyer.call('POST', '/api/v1/me/merge', { body: { merge_token: mergeToken, consent } });
  assert.equal((await merge(guest, false)).json.reason, 'consent_needed');
  assert.equal((await guest.call('GET', '/api/v1/orders')).json.orders.length, 1, 'nothing was moved');
  assert.equal((await merge(await Buyer.arrive(shop), true)).json.reason, 'merge_token_unknown');
  const merged = await merge(guest, true);
  assert.equal(merged.status, 200, merged.text);
  assert.equal(merged.json.user_id, owner.user_id);
  assert.equal((await guest.call('GET', '/api/v1/me')).status, 401);
  const carol = withToken(merged.json.token);
  assert.equal((await carol.order(order.order_id)).order_id, order.order_id);
  assert.equal((await merge(carol, true)).json.reason, 'merge_token_unknown', 'once');
});

test('F047: the official account leads to the same user by unionid, and back to a path of ours', async () => {
  const mini = (await miniLogin('dave')).json;
  const { cookie, setCookie, back } = await journey('dave');
  assert.match(setCookie, /HttpOnly; SameSite=Lax/);
  const landed = await shop.call('GET', back, { headers: { cookie } });
  assert.equal(landed.status, 302, landed.text);
  assert.equal(landed.headers.get('location'), `${shop.origin}/#/pages/orders`);
  const claim = (headers) => shop.call('POST', '/api/v1/sign-in/wechat-oa', { headers });
  assert.equal((await claim({})).json.reason, 'sign_in_not_proven', 'another browser');
  const session = await claim({ cookie });
  assert.equal(session.status, 200, session.text);
  assert.equal(session.json.user_id, mini.user_id, 'same unionid, same person');
  assert.equal((await claim({ cookie })).json.reason, 'sign_in_not_proven', 'once');
  const me = (await withToken(session.json.token).call('GET', '/api/v1/me')).json;
  assert.deepEqual(me.identities.map((identity) => identity.kind).sort(), ['wechat_mini', 'wechat_oa']);
});

test('A-05: a foreign, missing or used state is refused, and no address leads away from the shop', async () => {
  const mine = await journey('erin');
  const other = await journey('mallory');
  for (const [name, path, cookie] of [
    ['no cookie', mine.back, ''], ['the cookie of another journey', mine.back, other.cookie],
    ['no state', mine.back.replace(/&state=.*/, ''), mine.cookie],
    ['a made-up state', mine.back.replace(/state=.*/, `state=${'A'.repeat(32)}`), mine.cookie],
  ]) {
    const got = await shop.call('GET', path, { headers: cookie ? { cookie } : {} });
    assert.equal(got.status, 403, name);
    assert.equal(got.json.reason, 'state_foreign', name);
  }
  assert.equal((await shop.call('GET', mine.back, { headers: { cookie: mine.cookie } })).status, 302);
  assert.equal((await shop.call('GET', mine.back, { headers: { cookie: mine.cookie } })).status, 403, 'once');
  for (const path of ['//evil.example', 'https://evil.example', '/\\evil.example', '/%09/evil.example', '/%0d%0aX: y', 'x']) {
    const got = await shop.call('GET', `/api/v1/sign-in/wechat-oa/start?return_path=${path.startsWith('/%') ? path : encodeURIComponent(path)}`);
    assert.equal(got.status, 400, path);
  }
});

test('F074: a code by message signs in once; all spellings of a number are one', async () => {
  const code = await smsCode('138 0000 2001');
  assert.match(code, /^\d{6}$/);
  const signIn = (phone, given) => shop.call('POST', '/api/v1/sign-in/sms', { body: { phone, code: given } });
  const wrong = await signIn('13800002001', code === '000000' ? '000001' : '000000');
  assert.equal(wrong.json.reason, 'sms_code_wrong');
  const right = await signIn('+86 138-0000-2001', code);
  assert.equal(right.status, 200, right.text);
  assert.equal((await signIn('13800002001', code)).json.reason, 'sms_code_wrong', 'once');
  const soon = await shop.call('POST', '/api/v1/sign-in/sms/code', { body: { phone: '１３８００００２００１' } });
  assert.equal(soon.status, 429);
  assert.ok(Number(soon.headers.get('retry-after')) > 30);
  const me = withToken(right.json.token);
  assert.equal((await me.call('GET', '/api/v1/me')).json.level, 'phone');
  const trail = (await me.call('GET', '/api/v1/me/sign-ins')).json.sign_ins;
  assert.equal(trail.find((row) => row.outcome === 'signed_in').subject_masked, '138****2001');
  for (const file of ['topup.sqlite', 'topup.sqlite-wal', 'topup.log']) {
    assert.throws(() => execFileSync('grep', ['-c', '13800002001', `${shop.data}/${file}`]), undefined, file);
  }
});

test('F048: the phone of the mini-program is bound, a bound one leads to a merge, the last way in stays', async () => {
  let frank = withToken((await miniLogin('frank')).json.token);
  const bound = await frank.call('POST', '/api/v1/me/phone/wechat', { body: { code: await sharedPhone('13800002002') } });
  assert.equal(bound.status, 200, bound.text);
  frank = withToken(bound.json.token);
  const grace = withToken((await miniLogin('grace', { unionid: false })).json.token);
  const taken = await grace.call('POST', '/api/v1/me/phone/wechat', { body: { code: await sharedPhone('13800002002') } });
  assert.equal(taken.json.reason, 'merge_not_possible', 'both have a mini-program identity');
  const { identities } = (await frank.call('GET', '/api/v1/me')).json;
  const drop = (kind) => frank.call('DELETE',
    `/api/v1/me/identities/${identities.find((identity) => identity.kind === kind).identity_id}`);
  assert.equal((await drop('phone')).status, 204);
  assert.equal((await drop('wechat_mini')).json.reason, 'last_identity');
});

test('F077: an access token that was retired elsewhere is replaced once, and a stubborn 40001 makes no loop', async () => {
  const calls = async () => (await (await fetch(`${shop.platform}/control`)).json());
  let heidi = withToken((await miniLogin('heidi')).json.token);
  const bind = async (phone) => heidi.call('POST', '/api/v1/me/phone/wechat', { body: { code: await sharedPhone(phone) } });
  await post(`${shop.platform}/control`, { next: 'retire_token' });
  const bound = await bind('13800002003');
  assert.equal(bound.status, 200, bound.text);
  heidi = withToken(bound.json.token);
  const before = await calls();
  await post(`${shop.platform}/control`, { next: 'token_40001', count: 100 });
  for (let i = 0; i < 5; ++i) assert.equal((await bind('13800002003')).json.reason, 'wechat_unavailable');
  const after_ = await calls();
  assert.ok(after_.stable_token_calls - before.stable_token_calls <= 3, 'fetches are rationed');
  assert.ok(after_.phone_calls - before.phone_calls <= 10, 'each call is repeated at most once');
  await post(`${shop.platform}/control`, { next: 'token_40001', count: 0 });
});

test('A-10: what is not a token of ours is nobody', async () => {
  const { token } = (await miniLogin('ivan')).json;
  const jwt = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"1"}').toString('base64url')}.`;
  for (const forged of [jwt, token.slice(0, -1), `${token}A`, token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA'), '', 'null']) {
    assert.equal((await withToken(forged).call('GET', '/api/v1/me')).status, 401, forged);
  }
});

test('sessions are listed, ended one by one and all others at once; an ended token is refused at once', async () => {
  const tokens = [];
  for (let i = 0; i < 3; ++i) tokens.push((await miniLogin('judy')).json.token);
  const [one, two, three] = tokens.map(withToken);
  const listed = (await one.call('GET', '/api/v1/me/sessions')).json.sessions;
  assert.equal(listed.length, 3);
  assert.equal(listed.filter((session) => session.is_current).length, 1);
  assert.match(listed[0].address_masked, /^127\.0\.0\.\*$/);
  const second = (await two.call('GET', '/api/v1/me/sessions')).json.sessions.find((session) => session.is_current);
  assert.equal((await one.call('DELETE', `/api/v1/me/sessions/${second.session_id}`)).status, 204);
  assert.equal((await two.call('GET', '/api/v1/me')).json.reason, 'session_ended');
  const stranger = withToken((await miniLogin('mike')).json.token);
  const first = listed.find((session) => session.is_current).session_id;
  assert.equal((await stranger.call('DELETE', `/api/v1/me/sessions/${first}`)).status, 404, 'not one\'s own');
  assert.equal((await one.call('DELETE', '/api/v1/me/sessions')).json.ended, 1);
  assert.equal((await three.call('GET', '/api/v1/me')).status, 401);
  assert.equal((await one.call('GET', '/api/v1/me')).status, 200);
});

test('inside WeChat: signed in, ordered, paid with the parameters WeChat wants, delivered', async () => {
  const kate = withToken((await miniLogin('kate')).json.token);
  const order = (await kate.place('13800001234')).json;
  const refused = await kate.pay(order.order_id, randomUUID(), { scene: 'jsapi' });
  assert.equal(refused.json.reason, 'openid_missing', 'no openid of the official account yet');
  const ticket = await kate.pay(order.order_id, randomUUID(), { scene: 'mini_program' });
  assert.equal(ticket.status, 200, ticket.text);
  assert.equal(ticket.json.scene, 'mini_program');
  const { invoke } = ticket.json;
  assert.deepEqual(Object.keys(invoke).sort(), ['appId', 'nonceStr', 'package', 'paySign', 'signType', 'timeStamp']);
  assert.equal(invoke.signType, 'RSA');
  const prepay = invoke.package.replace('prepay_id=', '');
  const sheet = await (await fetch(`${shop.wechat}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${prepay}`)).text();
  const token = sheet.match(/name="token" value="([^"]+)"/)[1];
  await fetch(`${shop.wechat}/sheet/pay`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ prepay_id: prepay, token }) });
  await kate.reaches(order.order_id, 'succeeded');
  const guest = await Buyer.arrive(shop);
  const other = (await guest.place('13800001234')).json;
  assert.equal((await guest.pay(other.order_id, randomUUID(), { scene: 'mini_program' })).json.reason, 'openid_missing');
});
