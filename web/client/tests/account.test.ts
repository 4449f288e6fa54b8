// The stores of signing in, of one's own data and of the shop's words, without a browser.
import { beforeEach, expect, test, vi } from 'vitest';
import { answer, asked, refusal, reset } from './answers';
import { storage as device } from './support/device';
import { accountEn } from '@/i18n/account.en';
import { accountZh } from '@/i18n/account.zh';
import { blocksOf, safeText } from '@/plain_text';
import { useContent } from '@/stores/content';
import { useInbox } from '@/stores/inbox';
import { useMe } from '@/stores/me';
import { useNotice } from '@/stores/notice';
import { usePrivacy } from '@/stores/privacy';
import { useSession } from '@/stores/session';
import { useShop } from '@/stores/shop';
import { useSignIn } from '@/stores/sign_in';

const kSession = { token: 'token-1', user_id: 'u1', expires_at_ms: 9e15 };
const kMe = { user_id: 'u1', level: 'phone', identities: [], consents: [] };

beforeEach(() => {
  reset();
  answer('GET /api/v1/me', kMe);
});

test('a wrong code is told at the code, a refused number at the number with the shop\'s wait', async () => {
  const store = useSignIn();
  store.typePhone('13800001234');
  store.typeCode('１２３ 456789');
  expect(store.code).toBe('123456');
  answer('POST /api/v1/sign-in/sms', refusal('sms_code_wrong', 401));
  expect(await store.submit('sign_in')).toBe(false);
  expect(store.codeFailure?.reason).toBe('sms_code_wrong');
  expect(store.phoneFailure).toBeNull();
  expect(store.code).toBe('123456');

  vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
  answer('POST /api/v1/sign-in/sms/code', refusal('sms_too_often', 429, { retry_after_s: 42 }));
  await store.ask('sign_in');
  expect(store.phoneFailure?.reason).toBe('sms_too_often');
  expect(store.againAtMs).toBe(1_042_000);
  store.typePhone('1380000123');
  expect(store.phoneFailure).toBeNull();
});

test('two taps send one code', async () => {
  const store = useSignIn();
  answer('POST /api/v1/sign-in/sms/code', { again_after_ms: 60_000, expires_at_ms: 9e15 });
  await Promise.all([store.ask('sign_in'), store.ask('sign_in')]);
  expect(asked.length).toBe(1);
});

test('an account of before is joined with consent only', async () => {
  const store = useSignIn();
  answer('POST /api/v1/sign-in/sms', refusal('merge_needed', 409, { merge_token: 'ticket' }));
  expect(await store.submit('sign_in')).toBe(false);
  expect(store.mergeToken).toBe('ticket');
  expect(store.failure).toBeNull();
  store.declineMerge();
  expect(store.mergeToken).toBe('');
  expect(asked.some((one) => one.path.endsWith('/merge'))).toBe(false);

  await store.submit('sign_in');
  answer('POST /api/v1/me/merge', kSession);
  expect(await store.merge()).toBe(true);
  expect(asked.find((one) => one.path.endsWith('/merge'))?.body).toEqual({ merge_token: 'ticket', consent: true });
  expect(useMe().signedIn).toBe(true);
});

test('the end of a guest\'s session is papered over, that of somebody signed in is told', async () => {
  const session = useSession();
  session.replace(kSession);
  expect(await session.refused('another', false)).toBe(true);
  expect(session.exists()).toBe(true);
  expect(await session.refused('token-1', false)).toBe(true);
  expect(useNotice().word).toBe('notice.session_renewed');
  session.replace(kSession, true);
  expect(await session.refused('token-1', false)).toBe(false);
  expect(session.exists()).toBe(false);
  expect(useNotice().word).toBe('notice.signed_out');
  expect(device.has('topup.session')).toBe(false);
});

test('what the old session is refused for while another is given goes on with the other', async () => {
  const session = useSession();
  session.replace(kSession, true);
  let give: (made: typeof kSession) => void = () => undefined;
  const become = session.become(new Promise((given) => (give = given)), true);
  let mayGoOn: boolean | null = null;
  const waiting = session.refused('token-1', false).then((yes) => (mayGoOn = yes));
  await Promise.resolve();
  expect(mayGoOn).toBeNull();
  give({ ...kSession, token: 'token-2' });
  await Promise.all([become, waiting]);
  expect(mayGoOn).toBe(true);
  expect(await session.token()).toBe('token-2');
  expect(useNotice().word).toBeNull();

  const refusedChange = session.become(Promise.reject(new Error('no')), true).catch((why: Error) => why.message);
  expect(await session.refused('token-2', false)).toBe(false);
  expect(await refusedChange).toBe('no');
  const own = session.become(new Promise(() => undefined));
  expect(await session.refused('gone', true)).toBe(true); // the change itself waits for nobody
  void own;
});

test('looking at the "me" page makes no session', async () => {
  await useMe().load();
  await useInbox().refresh();
  expect(asked).toEqual([]);
});

test('nothing goes on before the agreements, a new version asks again, another tap answers the first with no', async () => {
  const privacy = usePrivacy();
  useShop().agreements = { terms: 1, privacy: 1 };
  answer('POST /api/v1/me/consents', kMe);
  const first = privacy.allows();
  const second = privacy.allows();
  expect(await first).toBe(false);
  privacy.agree();
  expect(await second).toBe(true);
  expect(await privacy.allows()).toBe(true);
  expect(asked.map((one) => one.body)).toEqual([
    { document: 'terms', version: '1' },
    { document: 'privacy', version: '1' },
  ]);
  useShop().agreements = { terms: 1, privacy: 2 };
  expect(privacy.holds).toBe(false);
  expect(privacy.renewed).toBe(true);
  useShop().agreements = { terms: 0, privacy: 0 }; // the shop is not to be reached
  expect(privacy.holds).toBe(true);
});

test('a place is asked about by itself, and refusing it leaves the rest', async () => {
  const privacy = usePrivacy();
  useShop().agreements = { terms: 1, privacy: 1 };
  answer('POST /api/v1/me/consents', kMe);
  const agreeing = privacy.allows();
  privacy.agree();
  await agreeing;
  const asking = privacy.allowsLocation();
  await Promise.resolve();
  expect(privacy.asking).toBe('location');
  privacy.decline();
  expect(await asking).toBe(false);
  expect(privacy.holds).toBe(true);
});

test('withdrawing forgets what this device knows, and says so to the shop first', async () => {
  const privacy = usePrivacy();
  useSession().replace(kSession, true);
  device.set('topup.recipients', '[]');
  answer('DELETE /api/v1/me/consents/privacy', refusal('busy', 503));
  expect(await privacy.withdrawAll()).toBe(false);
  expect(useSession().exists()).toBe(true);
  answer('DELETE /api/v1/me/consents/privacy', kMe);
  expect(await privacy.withdrawAll()).toBe(true);
  expect(useSession().exists()).toBe(false);
  expect([...device.keys()].filter((key) => key !== 'topup.device')).toEqual([]);
});

test('an account that may not go yet stays signed in', async () => {
  const privacy = usePrivacy();
  useSession().replace(kSession, true);
  answer('POST /api/v1/me/erasure', refusal('orders_open', 422));
  expect(await privacy.erase()).toBe(false);
  expect(privacy.failure?.reason).toBe('orders_open');
  expect(useSession().exists()).toBe(true);
});

test('an announcement is put away for its version', async () => {
  const content = useContent();
  const one = { document: 'storm', version: 1, kind: 'announcement', topics: [], title: { zh: '风', en: '' }, body: { zh: '', en: '' }, published_at_ms: 1 };
  answer('GET /api/v1/content?kind=announcement', { documents: [one] });
  await content.loadAnnouncements();
  expect(content.announcementFor('home')?.document).toBe('storm');
  content.dismiss(one as never);
  expect(content.announcementFor('home')).toBeNull();
  answer('GET /api/v1/content?kind=announcement', { documents: [{ ...one, version: 2 }] });
  await content.loadAnnouncements();
  expect(content.announcementFor('home')?.version).toBe(2);
});

test('a text of the shop becomes headings, items and paragraphs, and nothing else', () => {
  expect(blocksOf('# One\ntext\nmore\n\n- a\n- b\n<b>not bold</b>')).toEqual([
    { kind: 'heading', text: 'One' },
    { kind: 'paragraph', text: 'text\nmore' },
    { kind: 'list', items: ['a', 'b'] },
    { kind: 'paragraph', text: '<b>not bold</b>' },
  ]);
  expect(safeText('a\u202eb\u2066c\u0007d')).toBe('abc d');
  expect(blocksOf('')).toEqual([]);
});

test('both languages have the same words, none empty, no exclamation marks', () => {
  for (const [key, chinese] of Object.entries(accountZh)) {
    const english = accountEn[key as keyof typeof accountZh];
    expect(chinese, key).not.toBe('');
    expect(english, key).not.toBe('');
    expect(/[!！]/.test(chinese + english), key).toBe(false);
    const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();
    expect(holes(english), key).toEqual(holes(chinese));
  }
});
