/**
 * @topup/core: the compiled core. Every method is total: bad input of any type gives an error value, never an exception, and
 * leaves the core usable. Nothing returned needs freeing. Amounts are integers in minor units (fen) below 2^53; times are
 * milliseconds since 1970 UTC. Members of inputs and answers are spelled as in the call of the same name (shared/border.h).
 */
export interface Money { minor: number; currency: string }
export interface CoreError { code: string; reason: string; field: string; detail: string }
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: CoreError };

// Price book and quotes ----------------------------------------------------------------------------------------------------

export type ProductKind = 'airtime' | 'data' | 'fuel_card' | 'pin';
export type CardIssuer = 'none' | 'sinopec' | 'petrochina';
export type OperatorHint = 'unknown' | 'mobile' | 'unicom' | 'telecom' | 'broadnet' | 'virtual';

export interface BookHead {
  version: number;
  published_at_ms: number;
  /** 0: until the next one. */
  valid_until_ms: number;
  /** What buyers pay in. */
  currency: string;
  fingerprint: string;
  /** How many. */
  products: number;
  operators: number;
}
export interface BookRow { id: string; version: number; name_zh?: string; name_en?: string }
export interface BookRows { rules: BookRow[]; benefits: BookRow[]; promotions: BookRow[]; coupons: BookRow[]; fees: BookRow[] }
export interface Country { country: string; name_zh: string; name_en: string; kinds: ProductKind[] }
export interface Operator {
  id: string;
  name_zh: string;
  name_en: string;
  country: string;
  hint: OperatorHint;
  issuer: CardIssuer;
  kinds: ProductKind[];
}
/** Fixed, or a range: any amount from `face` to `most_minor` in steps of `step_minor` (above 0). */
export interface Product {
  id: string;
  operator_id: string;
  kind: ProductKind;
  name_zh: string;
  name_en: string;
  face: Money;
  delivered: Money;
  most_minor: number;
  step_minor: number;
  validity_days: number;
  list: Money;
  payable: Money;
}
export interface OwnedCoupon {
  id: string;
  template_id: string;
  valid_from_ms?: number;
  /** 0: never. */
  expires_at_ms?: number;
  state?: 'usable' | 'held' | 'used';
}
export interface BuyerFacts {
  level_id?: string;
  growth?: number;
  card_ids?: string[];
  first_order?: boolean;
  day_orders?: number;
  day_minor?: number;
  coupons?: OwnedCoupon[];
}
export interface QuoteRequest {
  product_id: string;
  account_number: string;
  /** Of a range; 0 or nothing: the product's face. */
  amount_minor?: number;
  now_ms?: number;
  /** Leaves out the promotions that the shop may do without. */
  degraded?: boolean;
  /** 'best' when not said; or the ids of the coupons the buyer chose. */
  coupons?: 'best' | 'none' | string[];
}
export type LineWord = 'face' | 'markup' | 'margin_guard' | 'member' | 'card' | 'promotion' | 'coupon' | 'fee';
export type WhyNot =
  | 'template_unknown' | 'used' | 'held' | 'not_started' | 'expired' | 'wrong_product' | 'degraded' | 'first_order_only'
  | 'growth_short' | 'spend_short' | 'not_with_member' | 'not_with_promotion' | 'not_with_coupon' | 'better_in_group'
  | 'stands_alone' | 'no_benefit' | 'not_chosen';
export interface QuoteLine {
  word: LineWord;
  /** '' for the face. Of a coupon: its template. */
  rule_id: string;
  rule_version: number;
  coupon_id?: string;
  /** The rate applied, 0 where none is. */
  rate_bp: number;
  effect: Money;
  /** What rounding left, in ten-thousandths of a minor unit. */
  remainder: number;
}
/** Something that did not apply; `need` and `have` are minor units, times or growth, by `why`. */
export interface NotApplied {
  word: LineWord;
  rule_id: string;
  rule_version: number;
  coupon_id?: string;
  why: WhyNot;
  need: number;
  have: number;
}
/** The face and the effects of all lines add up to `payable`. */
export interface Quote {
  product_id: string;
  account_masked: string;
  face: Money;
  list: Money;
  payable: Money;
  saved: Money;
  delivered: Money;
  lines: QuoteLine[];
  not_applied: NotApplied[];
  needs_review: boolean;
  expires_at_ms: number;
  /** Of what the buyer sees and agrees to: 16 hexadecimal digits. */
  fingerprint: string;
  price_book_version: number;
}

// What a buyer types -------------------------------------------------------------------------------------------------------

export type FieldVerdict = 'empty' | 'incomplete' | 'valid' | 'impossible';
/** `possible`: right in length, but the segment is not known; sellable like `valid`. */
export type PhoneVerdict = FieldVerdict | 'possible';
export interface PhoneCheck {
  verdict: PhoneVerdict;
  operator_hint: OperatorHint;
  /** Digits kept so far, without calling code and trunk prefix. */
  national: string;
  /** Place in `national` of the first impossible digit, its length when there are too many; -1 otherwise. */
  bad_at: number;
  /** 0 and '' while it is not known. */
  calling_code: number;
  country: string;
  reason:
    | '' | 'phone_too_long' | 'phone_not_mobile' | 'phone_bad_character' | 'phone_segment_unassigned' | 'phone_other_country'
    | 'phone_country_unknown';
  /** Whose number it is, with phone_other_country. */
  other_country: string;
}
export interface FieldCheck {
  verdict: FieldVerdict;
  /** In its one form, as far as it has been typed. */
  text: string;
  /** Place in `text` of the first impossible character; -1 when there is none. */
  bad_at: number;
  reason: string;
}
export interface CardCheck extends Omit<FieldCheck, 'text'> {
  digits: string;
  issuer: CardIssuer;
  province_doubtful: boolean;
  prefix_doubtful: boolean;
  masked: string;
}
export interface CardComparison { verdict: 'incomplete' | 'match' | 'differs'; differs_at: number }
export interface IdCheck extends FieldCheck { age: number; masked: string }
export interface BankCardCheck extends FieldCheck { unionpay: boolean; masked: string }
export interface PlateCheck extends FieldCheck {
  kind: 'unknown' | 'usual' | 'new_energy' | 'police' | 'trailer' | 'school' | 'hong_kong' | 'macau';
}
export interface AmountCheck extends FieldCheck { amount: Money }
export interface FittedMessage { value: string; changed: boolean }

// Orders -------------------------------------------------------------------------------------------------------------------

export type OrderState =
  | 'awaiting_payment' | 'paying' | 'awaiting_approval' | 'paid' | 'submitting' | 'recharging' | 'unknown' | 'succeeded'
  | 'reversed' | 'refunding' | 'refunded' | 'closed' | 'review' | 'manual';
export type OrderEvent =
  | 'start_payment' | 'payment_confirmed' | 'payment_mismatch' | 'late_payment_revived' | 'duplicate_payment' | 'expire' | 'cancel'
  | 'review_required' | 'review_approved' | 'review_rejected' | 'submit' | 'supplier_accepted' | 'supplier_succeeded'
  | 'supplier_rejected' | 'supplier_switched' | 'supplier_unknown' | 'supplier_held' | 'supplier_reversed' | 'hold_expired'
  | 'give_up' | 'delivered_by_hand' | 'refund_requested' | 'refund_ordered' | 'refund_reissued' | 'refunded_by_hand'
  | 'refund_succeeded' | 'refund_refused' | 'partial_refund_ordered' | 'partial_refund_succeeded' | 'partial_refund_refused';
export type OrderEffect =
  | 'post_payment' | 'enqueue_submit' | 'enqueue_query' | 'post_fulfilment' | 'enqueue_refund' | 'post_refund' | 'post_suspense'
  | 'open_work_item' | 'settle_suspense' | 'post_reversal' | 'post_loss' | 'take_holds' | 'release_holds';
export type BuyerWord = 'awaiting_payment' | 'paying' | 'recharging' | 'succeeded' | 'failed';
export type OrderActor = 'buyer' | 'support' | 'operator' | 'finance' | 'owner' | 'system';
export interface OrderStep { state: OrderState; effects: OrderEffect[] }
export interface OrderTransition { from: OrderState; on: OrderEvent; to: OrderState; effects: OrderEffect[] }
export interface OrderView {
  buyer_word: BuyerWord;
  is_final: boolean;
  actions: { action: string; needs_reason: boolean; needs_second_person: boolean }[];
  /** What happens when nothing else does. */
  timeout: { event: OrderEvent; after_ms: number } | null;
}
export interface OrderRun { state: OrderState; applied: number; effects: { [effect in OrderEffect]?: number } }
export type RefundStage =
  | 'requested' | 'approved' | 'sent' | 'processing' | 'unknown' | 'succeeded' | 'refused' | 'declined' | 'reissued';
export interface RefundCheck { event: OrderEvent; left: Money }

// Drafts and saved recipients, on several devices --------------------------------------------------------------------------

export type DraftFieldName =
  | 'kind' | 'country' | 'operator_id' | 'account_number' | 'account_again' | 'product_id' | 'amount' | 'coupon' | 'note';
/** A value, or the values of two devices that somebody must choose between. */
export type ItemFields = { [field: string]: string | string[] };
export interface DraftCheck {
  fields: { [field in DraftFieldName]: { verdict: string; reason: string; bad_at: number } };
  /** The field to fill in next; '' when there is none. */
  next: DraftFieldName | '';
  may_save: boolean;
  may_order: boolean;
  account_number: string;
  amount?: Money;
}
export type DraftState = 'only_here' | 'sending' | 'sent' | 'confirmed' | 'changed' | 'conflict';
export interface DeviceItem {
  id: string;
  revision: number;
  client_revision: number;
  mine: ItemFields;
  /** Absent when nothing has been changed here. */
  base?: ItemFields;
  pending?: ItemFields;
}
/** What a device stores between its calls. */
export interface DeviceList { device: string; client_revision: number; revision: number; items: DeviceItem[] }
export interface SyncPush {
  device: string;
  since: number;
  items: { id: string; client_revision: number; base: ItemFields; mine: ItemFields }[];
}
export interface SyncAnswer {
  revision: number;
  items: { id: string; revision: number; seen: { device: string; client_revision: number }[]; fields: ItemFields }[];
  refused: { id: string; client_revision: number; reason: string }[];
}
export interface FieldConflict { field: string; mine: string; theirs: string }

// Filling stations ---------------------------------------------------------------------------------------------------------

/** Ten-millionths of a degree; WGS-84 unless the call says gcj02, which is then the system of its answer, too. */
export interface Place { lat_e7: number; lng_e7: number }
export type Fuel = 'gasoline_92' | 'gasoline_95' | 'gasoline_98' | 'diesel_0';
export type StationFlag = 'loads_cards' | 'self_service' | 'shop' | 'car_wash' | 'charging' | 'suspended';
export interface StationHead { version: number; as_of_ms: number; stations: number }
export interface StationWish extends Place {
  system?: 'wgs84' | 'gcj02';
  limit?: number;
  /** Of the stations' local day. */
  now_minute?: number;
  only_open?: boolean;
  within_m?: number;
  issuer?: CardIssuer;
  brand?: string;
  flags?: StationFlag[];
  fuel?: Fuel;
  order?: 'best' | 'nearest' | 'cheapest';
}
export interface NearStation extends Place {
  id: string;
  name: string;
  brand: string;
  issuer: CardIssuer;
  distance_m: number;
  prices: { [fuel in Fuel]?: Money };
  flags: StationFlag[];
  open_minute: number;
  close_minute: number;
  openness: 'unknown' | 'all_day' | 'open' | 'closes_soon' | 'closed' | 'suspended';
  openness_minutes: number;
  /** In metres of detour, the lowest first: the distance and what price and hours add. */
  score: number;
  price_m: number;
  hours_m: number;
  why: { word: string; value: number }[];
}

// Spoken orders and small policies -----------------------------------------------------------------------------------------

export interface SavedRecipient { id: string; name: string; kind: ProductKind; tail?: string }
export interface IntentQuery { text: string; language?: 'zh' | 'en'; saved?: SavedRecipient[]; currency?: string }
export interface Intent {
  kind: ProductKind | null;
  recipient: { form: 'none' | 'number' | 'tail' | 'saved' | 'mine'; number: string | null; tail: string | null; saved_ids: string[] };
  amount: Money | null;
  is_currency_said: boolean;
  country: string | null;
  reason: string | null;
  /** Empty: ready to be confirmed. */
  questions: string[];
  /** What was understood, as places in the text. */
  spans: { what: 'recipient' | 'amount' | 'kind' | 'country' | 'refusal'; start: number; end: number }[];
}
export interface TokenState { units: number; at_ms: number }
export interface TokenAnswer { allowed: boolean; retry_after_ms: number; state: TokenState }
export interface RetryPolicy {
  first_ms: number;
  factor_percent: number;
  max_ms: number;
  max_attempts: number;
  jitter_percent: number;
}

export interface Topup {
  version(): string;

  /** Makes the book the one that quotes are priced with. Errors: price_book_damaged, price_book_newer, price_book_too_large. */
  loadPriceBook(bytes: Uint8Array): Outcome<BookHead>;
  bookHead(): Outcome<BookHead>;
  /** The rows that lines of a quote name, with their names. */
  bookRows(): Outcome<BookRows>;
  /** A book as hexadecimal digits: for tests. A restart after a trap does not bring it back. */
  loadBookHex(input: { hex: string }): Outcome<BookHead>;
  listCountries(): Outcome<Country[]>;
  listOperators(input?: { country?: string }): Outcome<Operator[]>;
  /** Tiles with what this buyer would pay without a coupon. */
  listProducts(input: {
    operator_id?: string;
    kind?: ProductKind;
    now_ms?: number;
    from?: number;
    degraded?: boolean;
  }): Outcome<Product[]>;
  /** The price before a recipient is known; of a range for `amount_minor`. Errors as quote(). */
  listPrice(input: { product_id: string; amount_minor?: number; now_ms?: number }): Outcome<Quote>;
  /** Kept until it is set again, over any change of the book. */
  setBuyer(facts: BuyerFacts): Outcome<true>;
  /** An explained price; errors as in shared/pricing.h. */
  quote(request: QuoteRequest): Outcome<Quote>;
  convert(input: { amount: Money; to: string; rate: string }): Outcome<Money>;
  /** "98.50"; '' when the amount or currency is not one. */
  decimalText(amount: Money): string;

  /** The verdict on what has been typed so far; 'CN' when no country is said, '' guesses it. */
  checkPhone(typed: string, country?: string): PhoneCheck;
  /** "138****5678"; '****' for what is no number. */
  maskPhone(number: string): string;
  checkCard(input: { typed: string; issuer?: CardIssuer }): Outcome<CardCheck>;
  sameCard(input: { first: string; second: string }): Outcome<CardComparison>;
  /** `today` as "2026-11-22". */
  checkId(input: { typed: string; today: string }): Outcome<IdCheck>;
  checkBankCard(input: { typed: string }): Outcome<BankCardCheck>;
  checkPlate(input: { typed: string }): Outcome<PlateCheck>;
  checkName(input: { typed: string }): Outcome<FieldCheck>;
  checkEmail(input: { typed: string }): Outcome<FieldCheck>;
  checkAmount(input: { typed: string; currency: string; least?: number; most?: number }): Outcome<AmountCheck>;
  /** Fits a value to a type of WeChat's subscribe messages (thing, amount, date, phrase …). */
  fitMessage(input: { type: string; value: string }): Outcome<FittedMessage>;

  /** null when the event changes nothing in this state. */
  orderNext(state: OrderState, event: OrderEvent): OrderStep | null;
  /** Every step there is. */
  orderTable(): OrderTransition[];
  orderView(input: { state: OrderState; actor: OrderActor }): Outcome<OrderView>;
  orderRun(input: { from: OrderState; events: OrderEvent[] }): Outcome<OrderRun>;
  /** May `asked` go back? `left` is what remains refundable afterwards. */
  refundCheck(input: {
    state: OrderState;
    paid: Money;
    refunds?: { amount: Money; stage: RefundStage }[];
    asked: Money;
  }): Outcome<RefundCheck>;

  draftCheck(input: { id: string; fields: ItemFields }): Outcome<DraftCheck>;
  draftNext(input: { state: DraftState; event: string }): Outcome<{ state: DraftState; events: string[] }>;
  /** The honest state of each item, and by how many minor units its price moved. */
  draftStates(input: {
    list: DeviceList;
    is_waiting?: boolean;
    prices?: { [id: string]: { seen?: Money; priced?: Money } };
  }): Outcome<{ items: { id: string; state: DraftState; moved?: number }[] }>;
  mergeItems(input: { base: ItemFields; mine: ItemFields; theirs: ItemFields }): Outcome<{
    fields: ItemFields;
    conflicts: FieldConflict[];
  }>;
  /** The list with one field set; a new id is a new item. */
  syncEdit(input: { list: DeviceList; id: string; field: string; value: string }): Outcome<{ list: DeviceList }>;
  /** Store the list before the push is sent. */
  syncPush(input: { list: DeviceList }): Outcome<{ list: DeviceList; push: SyncPush }>;
  syncAnswer(input: { list: DeviceList; answer: SyncAnswer }): Outcome<{
    list: DeviceList;
    conflicts: (FieldConflict & { id: string })[];
  }>;

  /** The stations of a country, as the server wrote them. Errors: stations_damaged, stations_newer, stations_too_large. */
  loadStations(bytes: Uint8Array): Outcome<StationHead>;
  /** The same as hexadecimal digits: for tests. A restart after a trap does not bring them back. */
  loadStationsHex(input: { hex: string }): Outcome<StationHead>;
  nearestStations(wish: StationWish): Outcome<{ version: number; as_of_ms: number; stations: NearStation[] }>;
  toGcj02(place: Place): Outcome<Place>;
  toWgs84(place: Place): Outcome<Place>;
  distance(input: { from: Place; to: Place }): Outcome<{ distance_m: number }>;
  boundingBox(input: Place & { radius_m: number }): Outcome<{ south_west: Place; north_east: Place }>;

  /** What a spoken or typed order means. A draft to be confirmed, never an order. */
  readIntent(query: IntentQuery): Outcome<Intent>;

  tokenTake(input: {
    policy: { capacity: number; refill: number; interval_ms: number };
    state?: TokenState;
    now_ms: number;
    tokens: number;
  }): Outcome<TokenAnswer>;
  retryDelay(input: RetryPolicy & { attempt: number; seed: number }): Outcome<{
    again: boolean;
    delay_ms: number;
    total_bound_ms: number;
  }>;
  shard(input: { user_id: string; shards: number }): Outcome<{ shard: number }>;
  abBucket(input: { salt: string; user_id: string; weights_bp: number[] }): Outcome<{ bucket: number; point: number }>;
}

/** One shared instance; a failed load may be retried by calling again. `wasm` overrides where the binary comes from. */
export function loadTopup(source?: { url?: string; bytes?: BufferSource }): Promise<Topup>;
