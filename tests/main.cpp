#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

namespace {

// Tells at the end, for each row of threats.txt that a test's name holds, how many tests and checks
// stood up for it ("held H-07: 3 tests, 412 checks"), or that one fell. scripts/threats.py reads
// it.
class HeldThreats final : public doctest::IReporter {
 public:
  explicit HeldThreats(const doctest::ContextOptions& options) : out_(*options.cout) {}

  void test_case_start(const doctest::TestCaseData& test) override { name_ = test.m_name; }
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    for (const std::string& row : rows_in(name_)) {
      Sum& sum = sums_[row];
      ++sum.tests;
      sum.checks += stats.numAssertsCurrentTest;
      sum.fell = sum.fell || !stats.testCaseSuccess;
    }
  }
  void test_run_end(const doctest::TestRunStats&) override {
    for (const auto& [row, sum] : sums_) {
      out_ << (sum.fell ? "fell " : "held ") << row << ": " << sum.tests << " tests, " << sum.checks
           << " checks\n";
    }
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  struct Sum {
    int tests = 0, checks = 0;
    bool fell = false;
  };
  // A letter, a dash and two digits that stand alone.
  static std::set<std::string> rows_in(const std::string& name) {
    const auto is = [&](std::size_t at, std::string_view wanted) {
      return at < name.size() && wanted.find(name[at]) != wanted.npos;
    };
    const std::string_view digits = "0123456789", letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::set<std::string> rows;
    for (std::size_t i = 0; i + 4 <= name.size(); ++i) {
      const bool begins = i == 0 || !(is(i - 1, letters) || is(i - 1, digits));
      if (begins && is(i, letters) && name[i + 1] == '-' && is(i + 2, digits) &&
          is(i + 3, digits) && !is(i + 4, digits))
        rows.insert(name.substr(i, 4));
    }
    return rows;
  }
  std::ostream& out_;
  std::string name_;
  std::map<std::string, Sum> sums_;
};

DOCTEST_REGISTER_LISTENER("held_threats", 1, HeldThreats);

}  // namespace
