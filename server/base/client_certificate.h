// Outbound https to a party that wants to see a certificate of ours as well (mutual TLS). The files
// are read when a connection is made, so that renewed ones are taken up without a restart. Files
// that cannot be used, or a key that is not the certificate's: every call ends as not_sent with the
// failure client_certificate_unusable; nothing is ever sent without the certificate. For an http
// origin the certificate must be empty.
#pragma once

#include <memory>
#include <string>

#include "server/base/http_client.h"

namespace topup::base {

struct ClientCertificate {
  std::string certificate_file;  // PEM: ours, then those between it and its authority
  std::string key_file;          // PEM
  bool empty() const { return certificate_file.empty() && key_file.empty(); }
};

std::unique_ptr<Outbound> make_outbound(std::string party, std::string origin,
                                        const OutboundOptions& options,
                                        const ClientCertificate& certificate);

}  // namespace topup::base
