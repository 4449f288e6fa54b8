// The campaign day of core_books.cpp, said once more for the peers: what they must work out from it is compared with the
// core's own answers before anything is timed.
export const kNowMs = 1_767_225_600_000;
const kDayMs = 86_400_000;

export const kProducts = new Map(['mobile', 'unicom'].flatMap((operator) => [50, 100, 200].map((yuan) => [
  `cn-${operator}-${yuan}`, { id: `cn-${operator}-${yuan}`, kind: 'airtime', country: 'CN', operator: `cn-${operator}`, minor: yuan * 100 },
])));

export const kRequests = [...kProducts.keys()].map((product_id, i) => ({
  product_id, account_number: i % 2 === 0 ? '13800138000' : '+86 186 1234 5678', now_ms: kNowMs,
}));

export const kMarkupBp = 9_850;
export const kMember = { id: 'silver', discount_bp: 100, cap_minor: 150 };

const at = (kind, value) => ({ fact: kind, operator: 'equal', value });
const least = (fact, value) => ({ fact, operator: 'greaterThanInclusive', value });
const before = (fact, value) => ({ fact, operator: 'lessThan', value });

/** Conditions in json-rules-engine's own words; `bp` or `minor` off, at most `cap`. */
export const kPromotions = [
  { id: 'p01', group: 1, bp: 200, cap: 300, all: [] },
  { id: 'p02', group: 1, bp: 150, all: [at('country', 'CN')] },
  { id: 'p03', group: 1, minor: 400, all: [at('kind', 'data')] },
  { id: 'p04', group: 2, minor: 120, all: [least('spend', 6_000)] },
  { id: 'p05', group: 2, minor: 300, all: [least('spend', 50_000)] },
  { id: 'p06', group: 2, bp: 400, all: [at('first_order', true)] },
  { id: 'p07', group: 2, minor: 200, all: [least('now', kNowMs + kDayMs)] },
  { id: 'p08', group: 3, bp: 50, cap: 40, all: [least('growth', 1_000)] },
  { id: 'p09', group: 3, bp: 300, all: [least('growth', 50_000)] },
  { id: 'p10', group: 3, bp: 500, all: [before('now', kNowMs - kDayMs)] },
];

const held = [least('now', kNowMs - 10 * kDayMs), before('now', kNowMs + 10 * kDayMs)];
export const kCoupons = [
  { id: 'c01', minor: 100, all: held },
  { id: 'c02', minor: 300, all: [...held, least('spend', 6_000)] },
  { id: 'c03', bp: 300, cap: 400, all: held },
  { id: 'c04', minor: 1_000, all: [...held, least('spend', 50_000)] },
  { id: 'c05', minor: 250, all: [at('kind', 'data'), ...held] },
  { id: 'c06', minor: 280, all: [at('operator', 'cn-unicom'), ...held] },
  { id: 'c07', bp: 800, all: [at('country', 'TH'), ...held] },
  { id: 'c08', minor: 900, all: [before('now', kNowMs - kDayMs)] },
  { id: 'c09', minor: 50, all: held },
  { id: 'c10', bp: 250, cap: 200, all: held },
];

export const kBuyer = { level_id: kMember.id, growth: 1_200, first_order: false };

/** One coupon of each template, as the core wants to hear of them. */
export const kOwned = kCoupons.map(({ id }) => ({ id: `o${id}`, template_id: id, valid_from_ms: kNowMs - 10 * kDayMs,
  expires_at_ms: id === 'c08' ? kNowMs - kDayMs : kNowMs + 10 * kDayMs, state: 'usable' }));
