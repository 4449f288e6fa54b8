// The sections of the configuration for DT One, DingConnect and Juhe: [dtone], [dingconnect] and
// [juhe]. Each is left empty when its section is absent. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/config.h"
#include "server/config_section.h"

namespace topup {

void read_dtone(const toml::table& root, std::optional<DtoneSection>* out,
                std::vector<std::string>* mistakes);
void read_dingconnect(const toml::table& root, std::optional<DingconnectSection>* out,
                      std::vector<std::string>* mistakes);
void read_juhe(const toml::table& root, std::optional<JuheSection>* out,
               std::vector<std::string>* mistakes);

}  // namespace topup
