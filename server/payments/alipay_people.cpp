#include "server/payments/alipay_people.h"

#include <algorithm>

namespace topup::payments {
namespace {

constexpr std::size_t kMaxPerson = 128;

// What is put into a request to Alipay and into an index of ours.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

Result<std::string> AlipayPeople::person_of_code(const std::string& code) const {
  const auto invalid = [] { return refuse(Code::unauthenticated, "alipay_code_invalid", "code"); };
  if (code.empty() || code.size() > kMaxAlipayCode || !is_plain(code)) return invalid();
  const AlipayReply answer = calls_.exchange_code(code);
  if (answer.meaning == AlipayMeaning::refused) {
    if (answer.why.starts_with("isv.code-")) return invalid();
    return refuse(Code::unavailable, "alipay_misconfigured");
  }
  if (!answer.is_ok) return refuse(Code::unavailable, "alipay_unavailable");
  for (const char* field : {"open_id", "user_id"}) {
    const auto person = base::text_in(answer.body, field, kMaxPerson);
    if (person && !person->empty() && is_plain(*person)) return *person;
  }
  return refuse(Code::unavailable, "alipay_unavailable");
}

}  // namespace topup::payments
