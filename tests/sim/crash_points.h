// Every point at which the shop's process may die here, by name. Half of the seeds with crashes are
// aimed at one of them, so that many seeds hit each, and scripts/test fails when one was never hit
// or when the process died at one that is not listed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace topup::sim {

std::span<const std::string_view> crash_points();
// And those of runs whose buyers have wallets.
std::span<const std::string_view> wallet_crash_points();

// From the logs of runs that did the work between them: what is wrong, a sentence each.
std::vector<std::string> missed_crash_points(const std::vector<std::string>& logs);

}  // namespace topup::sim
