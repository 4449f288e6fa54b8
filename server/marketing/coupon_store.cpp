#include "server/marketing/coupon_store.h"

#include <utility>

namespace topup::marketing::coupon_store {
namespace {

constexpr std::string_view kCampaignColumns =
    "campaign_id, template_id, way, name, code, budget, per_user, claimed, starts_at_ms, "
    "ends_at_ms, valid_days, valid_until_ms, is_on, version, changed_by, changed_at_ms";
constexpr std::int64_t kMostCampaigns = 500;

Campaign read_campaign_row(const storage::Row& row) {
  Campaign out;
  out.id = row.text(0);
  out.template_id = row.text(1);
  out.way = row.text(2);
  out.name = row.text(3);
  out.code = row.text(4);
  out.budget = row.integer(5);
  out.per_user = row.integer(6);
  out.claimed = row.integer(7);
  out.starts_at_ms = row.integer(8);
  out.ends_at_ms = row.integer(9);
  out.valid_days = row.integer(10);
  out.valid_until_ms = row.integer(11);
  out.is_on = row.integer(12) != 0;
  out.version = row.integer(13);
  out.changed_by = row.text(14);
  out.changed_at_ms = row.integer(15);
  return out;
}

std::optional<Campaign> find_where(storage::Reader& reader, std::string_view column,
                                   std::string_view value) {
  std::optional<Campaign> found;
  const std::string sql = "SELECT " + std::string(kCampaignColumns) + " FROM campaigns WHERE " +
                          std::string(column) + " = $1";
  reader.query(sql, {value}, [&found](const storage::Row& row) { found = read_campaign_row(row); });
  return found;
}

std::int64_t integer_of(storage::Reader& reader, std::string_view sql,
                        std::initializer_list<storage::Value> values) {
  std::int64_t found = 0;
  reader.query(sql, values, [&found](const storage::Row& row) { found = row.integer(0); });
  return found;
}

}  // namespace

std::vector<Campaign> campaigns(storage::Reader& reader) {
  std::vector<Campaign> found;
  const std::string sql = "SELECT " + std::string(kCampaignColumns) +
                          " FROM campaigns ORDER BY campaign_id DESC LIMIT $1";
  reader.query(sql, {kMostCampaigns},
               [&found](const storage::Row& row) { found.push_back(read_campaign_row(row)); });
  return found;
}

std::optional<Campaign> find_campaign(storage::Reader& reader, std::string_view id) {
  return find_where(reader, "campaign_id", id);
}

std::optional<Campaign> find_by_code(storage::Reader& reader, std::string_view code) {
  return find_where(reader, "code", code);
}

void save_campaign(storage::Tx& tx, const Campaign& campaign) {
  const storage::Value code = campaign.code.empty()
                                  ? storage::Value(nullptr)
                                  : storage::Value(std::string_view(campaign.code));
  tx.exec(R"sql(
    INSERT INTO campaigns (campaign_id, template_id, way, name, code, budget, per_user, claimed,
                           starts_at_ms, ends_at_ms, valid_days, valid_until_ms, is_on, version,
                           changed_by, changed_at_ms, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11, $12, $13, $14, $15, $15)
    ON CONFLICT (campaign_id) DO UPDATE
       SET template_id = $2, way = $3, name = $4, code = $5, budget = $6, per_user = $7,
           starts_at_ms = $8, ends_at_ms = $9, valid_days = $10, valid_until_ms = $11, is_on = $12,
           version = $13, changed_by = $14, changed_at_ms = $15)sql",
          {campaign.id, campaign.template_id, campaign.way, campaign.name, code, campaign.budget,
           campaign.per_user, campaign.starts_at_ms, campaign.ends_at_ms, campaign.valid_days,
           campaign.valid_until_ms, std::int64_t{campaign.is_on}, campaign.version,
           campaign.changed_by, campaign.changed_at_ms});
}

bool take_from_budget(storage::Tx& tx, std::string_view campaign) {
  return tx.exec(
             "UPDATE campaigns SET claimed = claimed + 1 WHERE campaign_id = $1 AND claimed < "
             "budget",
             {campaign}) == 1;
}

std::int64_t claimed_by(storage::Reader& reader, std::string_view campaign, const UserId& user) {
  return integer_of(reader,
                    "SELECT COUNT(*) FROM owned_coupons WHERE campaign_id = $1 AND user_id = $2",
                    {campaign, user.text});
}

std::int64_t usable_of(storage::Reader& reader, const UserId& user, std::int64_t now_ms) {
  return integer_of(reader, R"sql(
    SELECT COUNT(*) FROM owned_coupons c WHERE c.user_id = $1 AND c.revoked_at_ms = 0
       AND (c.expires_at_ms = 0 OR c.expires_at_ms > $2)
       AND NOT EXISTS (SELECT 1 FROM order_holds h WHERE h.kind = 'coupon'
                        AND h.subject = c.coupon_id AND h.state = 'held'))sql",
                    {user.text, now_ms});
}

void insert_coupon(storage::Tx& tx, const OwnedRow& row) {
  tx.exec(R"sql(
    INSERT INTO owned_coupons (coupon_id, user_id, template_id, campaign_id, valid_from_ms,
                               expires_at_ms, given_by, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql",
          {row.id, row.user, row.template_id, row.campaign_id, row.valid_from_ms, row.expires_at_ms,
           row.given_by, row.created_at_ms});
}

std::optional<OwnedRow> find_coupon(storage::Reader& reader, std::string_view id) {
  std::optional<OwnedRow> found;
  reader.query(R"sql(
    SELECT coupon_id, user_id, template_id, campaign_id, valid_from_ms, expires_at_ms,
           revoked_at_ms, given_by, created_at_ms
      FROM owned_coupons WHERE coupon_id = $1)sql",
               {id}, [&found](const storage::Row& row) {
                 found = OwnedRow{row.text(0),    row.text(1),    row.text(2),
                                  row.text(3),    row.integer(4), row.integer(5),
                                  row.integer(6), row.text(7),    row.integer(8)};
               });
  return found;
}

bool revoke(storage::Tx& tx, std::string_view coupon, std::int64_t now_ms) {
  return tx.exec(
             "UPDATE owned_coupons SET revoked_at_ms = $2 WHERE coupon_id = $1 AND revoked_at_ms "
             "= 0",
             {coupon, now_ms}) == 1;
}

bool is_user(storage::Reader& reader, const UserId& user) {
  return reader.query("SELECT 1 FROM users WHERE user_id = $1", {user.text},
                      [](const storage::Row&) {}) > 0;
}

std::optional<Code> find_code(storage::Reader& reader, std::string_view hash) {
  std::optional<Code> found;
  reader.query("SELECT code_hash, campaign_id, coupon_id FROM coupon_codes WHERE code_hash = $1",
               {hash}, [&found](const storage::Row& row) {
                 found = Code{row.text(0), row.text(1), row.text(2)};
               });
  return found;
}

void insert_code(storage::Tx& tx, const Code& code, std::int64_t now_ms) {
  tx.exec("INSERT INTO coupon_codes (code_hash, campaign_id, created_at_ms) VALUES ($1, $2, $3)",
          {code.hash, code.campaign_id, now_ms});
}

bool use_code(storage::Tx& tx, std::string_view hash, std::string_view coupon) {
  return tx.exec(
             "UPDATE coupon_codes SET coupon_id = $2 WHERE code_hash = $1 AND coupon_id IS NULL",
             {hash, coupon}) == 1;
}

std::int64_t count_codes(storage::Reader& reader, std::string_view campaign) {
  return integer_of(reader, "SELECT COUNT(*) FROM coupon_codes WHERE campaign_id = $1", {campaign});
}

std::vector<std::string> faults(storage::Reader& reader) {
  std::vector<std::string> wrong;
  const auto tell = [&](const std::string& what, std::string_view sql) {
    reader.query(sql, {}, [&](const storage::Row& row) {
      if (wrong.size() < 20) wrong.push_back(what + " " + row.text(0));
    });
  };
  tell("a campaign has given another number of coupons than it counts:", R"sql(
    SELECT g.campaign_id FROM campaigns g
     WHERE g.claimed > g.budget OR g.claimed <>
           (SELECT COUNT(*) FROM owned_coupons c WHERE c.campaign_id = g.campaign_id)
     ORDER BY g.campaign_id)sql");
  tell("an order has a coupon that is not its buyer's:", R"sql(
    SELECT h.order_id FROM order_holds h
      JOIN orders o ON o.order_id = h.order_id
      LEFT JOIN owned_coupons c ON c.coupon_id = h.subject
     WHERE h.kind = 'coupon' AND h.state = 'held'
       AND (c.coupon_id IS NULL OR c.user_id <> o.user_id) ORDER BY h.order_id)sql");
  return wrong;
}

}  // namespace topup::marketing::coupon_store
