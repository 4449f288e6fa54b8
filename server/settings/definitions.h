// The settings of a running shop, as data. A key is stored: never rename one.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace topup::settings {

enum class Type : std::uint8_t {
  boolean,
  integer,  // min to max
  text,     // UTF-8 without control characters, at most max bytes
  word,     // one of `words`
  list,     // at most max different words of [A-Za-z0-9_-]{1,64}
};

struct Definition {
  const char* key;
  Type type;
  std::int64_t min, max;
  std::string_view words;   // separated by blanks
  std::string_view preset;  // JSON; "" when the configuration gives it
  std::string_view permission;
  std::string_view doc;
};

inline constexpr std::string_view kWrite = "settings.write";

inline constexpr const char* kSpecDoc =
    "What stands where in the platform's template: its id, then key=field for each key, such as "
    "\"ID thing1=product amount2=payable\"; fields are order_no, product, account, payable, "
    "delivered, status, at. Empty: not sent.";

inline constexpr std::array kDefinitions = {
    Definition{"service.level", Type::word, 0, 0, "normal no_marketing simple_pages maintenance",
               "\"normal\"", kWrite,
               "How far the shop is degraded. no_marketing: campaigns and optional promotions go. "
               "simple_pages: decoration and heavy reads go too. maintenance: no new orders and "
               "payments; notifications, queries and refunds go on, and testers may order."},
    Definition{"service.notice_zh", Type::text, 0, 600, "", "\"\"", kWrite,
               "What pages show in Chinese on every page; empty for nothing."},
    Definition{"service.notice_en", Type::text, 0, 600, "", "\"\"", kWrite,
               "What pages show in English on every page; empty for nothing."},
    Definition{"service.reopens_at_ms", Type::integer, 0, 4'102'444'800'000, "", "0", kWrite,
               "When maintenance is to end, for pages and Retry-After; 0 when it is not known. "
               "It ends only when service.level is changed."},
    Definition{"service.testers", Type::list, 0, 100, "", "[]", kWrite,
               "User ids that every level lets pass."},
    Definition{"client.lowest_version", Type::text, 0, 16, "", "\"\"", kWrite,
               "Pages older than this, such as \"0.2.0\", ask to be renewed before anything is "
               "ordered; empty: all are good enough."},
    Definition{"orders.pay_within_ms", Type::integer, 1'000, 7'200'000, "", "", kWrite,
               "How long a new order waits for its payment."},
    Definition{"orders.max_unpaid_per_user", Type::integer, 1, 1'000, "", "", kWrite,
               "How many unpaid orders one buyer may have."},
    Definition{"reconcile.compare_fees", Type::boolean, 0, 0, "", "true", kWrite,
               "Whether what channels kept of payments is compared with the contract."},
    Definition{"reconcile.channel_fee_bp", Type::integer, 0, 1'000, "", "60", kWrite,
               "What channels keep of a payment by contract, in hundredths of a per cent."},
    Definition{"reconcile.supplier_day_offset_minutes", Type::integer, -720, 840, "", "480", kWrite,
               "The suppliers' business day, in minutes east of UTC. Channels have their own."},
    Definition{"reconcile.second_person_above_minor", Type::integer, 0, 1'000'000'000, "", "20000",
               kWrite,
               "Differences above this many fen, and all in other currencies, are resolved by two "
               "people."},
    Definition{"refunds.second_person_above_minor", Type::integer, 0, 100'000'000, "", "20000",
               kWrite,
               "Refunds above this many fen wait for a second person; of delivered orders all do."},
    Definition{"refunds.answer_within_ms", Type::integer, 60'000, 604'800'000, "", "86400000",
               kWrite, "How long a buyer's wish for a refund may wait before it is urgent."},
    Definition{"ledger.second_person_above_minor", Type::integer, 0, 1'000'000'000, "", "100000",
               kWrite,
               "Entries in the books above this many fen, and all in other currencies, wait for a "
               "second person."},
    Definition{
        "payments.paused", Type::list, 0, 8, "", "[]", kWrite,
        "Channels that begin no new payment, such as wechat or alipay; what has begun on them "
        "goes on."},
    Definition{
        "orders.repeat_window_ms", Type::integer, 0, 86'400'000, "", "", kWrite,
        "A buyer who orders the same amount for the same recipient again within this time is "
        "asked whether that is meant; 0 asks nobody."},
    Definition{
        "orders.review_above_minor", Type::integer, 0, 100'000'000, "", "", kWrite,
        "In fen. What one recipient gets above this, by one order or by several, waits for a "
        "person after it is paid; 0: nothing waits."},
    Definition{
        "orders.verify_above_minor", Type::integer, 0, 100'000'000, "", "200000", kWrite,
        "In fen. Whoever pays for an order above this has bound a phone before; 0: nobody must."},
    Definition{"orders.review_window_ms", Type::integer, 0, 604'800'000, "", "3600000", kWrite,
               "Orders for one recipient that were placed less than this apart count together, "
               "besides those of one day in Shanghai."},
    Definition{"orders.review_buyer_day_minor", Type::integer, 0, 1'000'000'000, "", "1000000",
               kWrite,
               "In fen. What one buyer buys above this on one day in Shanghai waits for a person; "
               "0: nothing waits."},
    Definition{"orders.review_within_ms", Type::integer, 60'000, 604'800'000, "", "86400000",
               kWrite, "How long an order waits for a person before its money goes back."},
    Definition{"orders.two_people_above_minor", Type::integer, 0, 1'000'000'000, "", "1000000",
               kWrite,
               "In fen. An order above this is approved by two people; 0: one is always enough."},
    Definition{"orders.revive_within_ms", Type::integer, 0, 604'800'000, "", "7200000", kWrite,
               "A payment that arrives at most so long after its order closed is delivered if the "
               "shop still sells exactly what was quoted; otherwise, and with 0, it goes back."},
    Definition{"orders.opens_at_minute", Type::integer, 0, 1'439, "", "0", kWrite,
               "The minute of the day in Shanghai from which orders are taken."},
    Definition{"orders.closes_at_minute", Type::integer, 0, 1'440, "", "1440", kWrite,
               "The minute of the day in Shanghai at which orders end; before the other, the night "
               "lies between. The same minute twice: always open."},
    Definition{"orders.confirm_account", Type::boolean, 0, 0, "", "false", kWrite,
               "The recipient's number is typed a second time."},
    Definition{"mini_program.not_on_ios", Type::list, 0, 4, "", "[]", kWrite,
               "Kinds of product (airtime, data, fuel_card, pin) that the mini-program does not "
               "sell on iOS, where the platforms' rules on virtual goods forbid it."},
    Definition{"messages.order_delivered_mini", Type::text, 0, 400, "", "\"\"", kWrite, kSpecDoc},
    Definition{"messages.order_failed_mini", Type::text, 0, 400, "", "\"\"", kWrite, kSpecDoc},
    Definition{"messages.order_refunded_mini", Type::text, 0, 400, "", "\"\"", kWrite, kSpecDoc},
    Definition{"messages.order_delivered_oa", Type::text, 0, 400, "", "\"\"", kWrite, kSpecDoc},
    Definition{"messages.order_failed_oa", Type::text, 0, 400, "", "\"\"", kWrite, kSpecDoc},
    Definition{"messages.order_refunded_oa", Type::text, 0, 400, "", "\"\"", kWrite, kSpecDoc},
    Definition{"messages.sms_topics", Type::list, 0, 4, "", "[]", kWrite,
               "Of order_delivered, order_failed, order_refunded, refund_declined: what goes by "
               "short message to a "
               "buyer who gets it in no other way."},
    Definition{"messages.sms_template", Type::text, 0, 64, "", "\"\"", kWrite,
               "The short-message gateway's template for them; it gets status, account, payable."},
    Definition{"messages.sms_buyer_day", Type::integer, 0, 100, "", "5", kWrite,
               "How many such short messages one buyer gets in a day."},
    Definition{"messages.sms_shop_day", Type::integer, 0, 1'000'000, "", "500", kWrite,
               "How many such short messages the shop sends in a day."},
    Definition{"messages.report_shipping", Type::boolean, 0, 0, "", "true", kWrite,
               "Deliveries of what was paid in the mini-program are reported to WeChat."},
    Definition{"log.level", Type::word, 0, 0, "debug info warn error", "", kWrite,
               "The least important line that the log keeps."},
};

std::string_view word_of(Type type);

}  // namespace topup::settings
