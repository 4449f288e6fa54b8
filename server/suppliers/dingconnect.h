// DingConnect API v1: the "dingconnect" supplier. Everything that is DingConnect's own is in
// dingconnect.cpp and dingconnect_forms.cpp. Source: its swagger and FAQ, and measurements of the
// live service, read in November 2026. Orders are deferred and found again by DistributorRef, our
// attempt id. A second order with one DistributorRef is delivered and paid again, so deduplicates()
// is false and nothing here ever sends twice. What an order takes is decided by the send value we
// write, which is read from their price right before. Their webhook is not documented: it carries
// the token of its address and is a hint. Thread-safe. The Outbound must outlive the supplier.
#pragma once

#include <memory>
#include <string>

#include "server/base/http_client.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers {

struct DingconnectConfig {
  std::string api_key;
  std::string callback_token;  // empty: every callback is refused
  Currency wallet = Currency::usd;
};

std::unique_ptr<Supplier> make_dingconnect(DingconnectConfig config, base::Outbound& http);

}  // namespace topup::suppliers
