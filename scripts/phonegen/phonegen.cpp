// Compiles the mobile numbers of all territories into one shared automaton at build time:
//   phonegen metadata.max.json phone_tables.inc
// Input: the metadata (layout version 4) of the npm package that package.json pins. Output: C++
// tables that shared/phone_tables.cpp includes; the same input gives the same bytes. A pattern with
// anything but digits, \d, classes, (?:…), |, ?, {n} and {n,m} ends the build: better no tables
// than wrong ones.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/phone_packing.h"

namespace {

using Json = nlohmann::json;

constexpr int kLayoutVersion = 4;
constexpr std::size_t kFewestCountries = 200;  // fewer: this is not the whole world
constexpr int kMostRepeats = 15;
constexpr int kLongestNational = 15;  // ITU-T E.164
// Rows of a country in the metadata.
constexpr std::size_t kCallingCode = 0, kGeneralPattern = 2, kLengths = 3, kTrunk = 5, kTypes = 11;
constexpr std::size_t kFixedLine = 0, kMobile = 1;
// The metadata lags behind MIIT for mainland China; shared/phone.cpp tells known segments from
// unknown ones. 140, 141 and 144 are numbers of machines.
constexpr std::string_view kMainland = R"(1(?:[35-9]\d|4[235-9])\d{8})";

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "phonegen: %s\n", what.c_str());
  std::exit(1);
}

void require(bool holds, const std::string& what) {
  if (!holds) fail(what);
}

// ------------------------------------------------------------------------------------------------
// Pattern to non-deterministic automaton.

struct Node {
  std::vector<std::pair<unsigned, int>> by_digit;  // mask of digits, node
  std::vector<int> by_nothing;
};
struct Fragment {
  int first, last;
};

class Parser {
 public:
  Parser(std::string country, std::string pattern)
      : country_(std::move(country)), text_(std::move(pattern)) {}

  Fragment parse() {
    const Fragment whole = alternatives();
    if (at_ != text_.size()) refuse("unbalanced )");
    return whole;
  }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    fail(country_ + ": " + why + " at character " + std::to_string(at_) + " of " + text_);
  }
  bool has(char c) const { return at_ < text_.size() && text_[at_] == c; }
  void expect(char c) {
    if (!has(c)) refuse(std::string("expected ") + c);
    ++at_;
  }
  int add_node() {
    nodes_.emplace_back();
    return static_cast<int>(nodes_.size()) - 1;
  }
  void link(int from, int to) { nodes_[static_cast<std::size_t>(from)].by_nothing.push_back(to); }

  Fragment alternatives() {
    const Fragment whole{add_node(), add_node()};
    while (true) {
      const Fragment one = sequence();
      link(whole.first, one.first);
      link(one.last, whole.last);
      if (!has('|')) return whole;
      ++at_;
    }
  }

  Fragment sequence() {
    const int first = add_node();
    int last = first;
    while (at_ < text_.size() && !has('|') && !has(')')) {
      const Fragment next = repeated();
      link(last, next.first);
      last = next.last;
    }
    return {first, last};
  }

  // An atom that repeats is read again for each copy.
  Fragment repeated() {
    const std::size_t start = at_;
    Fragment whole = atom();
    const auto [least, most] = quantifier();
    const std::size_t behind = at_;
    if (least == 0) link(whole.first, whole.last);
    for (int copy = 2; copy <= most; ++copy) {
      at_ = start;
      const Fragment next = atom();
      if (copy > least) link(next.first, next.last);
      link(whole.last, next.first);
      whole.last = next.last;
    }
    at_ = behind;
    return whole;
  }

  std::pair<int, int> quantifier() {
    if (has('?')) {
      ++at_;
      return {0, 1};
    }
    if (!has('{')) return {1, 1};
    ++at_;
    const int least = number();
    int most = least;
    if (has(',')) {
      ++at_;
      most = number();
    }
    expect('}');
    if (least < 1 || most < least || most > kMostRepeats) refuse("a repetition out of range");
    return {least, most};
  }

  int number() {
    int value = 0;
    const std::size_t start = at_;
    while (at_ < text_.size() && is_digit(text_[at_]) && value < 1000) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == start) refuse("a number is missing");
    return value;
  }

  Fragment atom() {
    if (has('(')) {
      if (text_.compare(at_, 3, "(?:") != 0) refuse("only (?: ) groups are known, not this");
      at_ += 3;
      const Fragment inner = alternatives();
      expect(')');
      // A node of its own at each end: a repetition may link over it.
      const Fragment outer{add_node(), add_node()};
      link(outer.first, inner.first);
      link(inner.last, outer.last);
      return outer;
    }
    const unsigned mask = has('[') ? digit_class() : one_digit();
    const Fragment step{add_node(), add_node()};
    nodes_[static_cast<std::size_t>(step.first)].by_digit.emplace_back(mask, step.last);
    return step;
  }

  unsigned digit_class() {
    expect('[');
    unsigned mask = 0;
    while (!has(']')) {
      const unsigned from = one_digit();
      mask |= from;
      if (!has('-')) continue;
      ++at_;
      const unsigned to = one_digit();
      if (to < from) refuse("a range that runs backwards");
      for (unsigned digit = from; digit <= to; digit <<= 1U) mask |= digit;
    }
    ++at_;
    if (mask == 0) refuse("an empty class");
    return mask;
  }

  unsigned one_digit() {
    if (text_.compare(at_, 2, "\\d") == 0) {
      at_ += 2;
      return 0x3FF;
    }
    if (at_ >= text_.size() || !is_digit(text_[at_])) refuse("a construct that is not known");
    return 1U << static_cast<unsigned>(text_[at_++] - '0');
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string country_, text_;
  std::size_t at_ = 0;
  std::vector<Node> nodes_;
};

// ------------------------------------------------------------------------------------------------
// To one deterministic automaton for all. Every language is finite, so equal rests are equal
// states, whichever country they come from.

struct State {
  bool accepts = false;
  std::array<int, 10> next{};
  auto operator<=>(const State&) const = default;
};

class Pool {
 public:
  Pool() { intern({}); }  // 0: dead
  int intern(const State& state) {
    const auto [found, is_new] = index_.emplace(state, static_cast<int>(states_.size()));
    if (is_new) states_.push_back(state);
    return found->second;
  }
  const std::vector<State>& states() const { return states_; }

 private:
  std::map<State, int> index_;
  std::vector<State> states_;
};

class Determiniser {
 public:
  Determiniser(const std::vector<Node>& nodes, int last, std::set<int> lengths, Pool& pool)
      : nodes_(nodes), last_(last), lengths_(std::move(lengths)), pool_(pool) {}

  int state_of(std::set<int> nodes, int depth) {
    close(nodes);
    const auto key = std::make_pair(depth, nodes);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    State state;
    state.accepts = nodes.contains(last_) && lengths_.contains(depth);
    for (std::size_t digit = 0; depth < *lengths_.rbegin() && digit < 10; ++digit) {
      std::set<int> next;
      for (int node : nodes) {
        for (const auto& [mask, to] : nodes_[static_cast<std::size_t>(node)].by_digit) {
          if ((mask >> digit & 1U) != 0) next.insert(to);
        }
      }
      if (!next.empty()) state.next[digit] = state_of(std::move(next), depth + 1);
    }
    return known_[key] = pool_.intern(state);
  }

 private:
  void close(std::set<int>& nodes) const {
    std::vector<int> open(nodes.begin(), nodes.end());
    while (!open.empty()) {
      const int node = open.back();
      open.pop_back();
      for (int to : nodes_[static_cast<std::size_t>(node)].by_nothing) {
        if (nodes.insert(to).second) open.push_back(to);
      }
    }
  }

  const std::vector<Node>& nodes_;
  int last_;
  std::set<int> lengths_;
  Pool& pool_;
  std::map<std::pair<int, std::set<int>>, int> known_;
};

// ------------------------------------------------------------------------------------------------
// The metadata.

struct Country {
  std::string iso, trunk;
  unsigned calling_code = 0;
  int start = 0;
};

const Json& cell(const Json& row, std::size_t index) {
  static const Json kNone;
  return index < row.size() ? row[index] : kNone;
}

// The pattern of mobile numbers and the row that says its lengths. An empty one stands for "the
// same as fixed lines" (North America); who has none at all keeps the general pattern (TA).
std::pair<std::string, Json> mobile_pattern(const std::string& iso, const Json& row) {
  if (iso == "CN") return {std::string(kMainland), Json::array({11})};
  const Json& types = cell(row, kTypes);
  Json type = types.is_array() ? cell(types, kMobile) : Json();
  if (type.is_array() && type.at(0) == "") type = cell(types, kFixedLine);
  if (!type.is_array()) return {row.at(kGeneralPattern).get<std::string>(), row.at(kLengths)};
  return {type.at(0).get<std::string>(), type.size() > 1 ? type[1] : row.at(kLengths)};
}

unsigned code_of(const std::string& digits) {
  const int code = std::atoi(digits.c_str());
  require(code > 0 && code < 1000, digits + " is no calling code");
  return static_cast<unsigned>(code);
}

Country read_country(const std::string& iso, const Json& row, Pool& pool) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  require(iso.size() == 2 && std::all_of(iso.begin(), iso.end(), is_capital) && row.is_array(),
          iso + " is no country");
  Country country{.iso = iso, .trunk = "", .calling_code = 0, .start = 0};
  country.calling_code = code_of(row.at(kCallingCode).get<std::string>());
  if (cell(row, kTrunk).is_string()) country.trunk = row[kTrunk].get<std::string>();
  const auto [pattern, lengths] = mobile_pattern(iso, row);
  std::set<int> wanted;
  for (const Json& length : lengths) wanted.insert(length.get<int>());
  require(!wanted.empty() && *wanted.begin() > 0 && *wanted.rbegin() <= kLongestNational,
          iso + ": lengths");
  Parser parser(iso, pattern);
  const Fragment whole = parser.parse();
  Determiniser determiniser(parser.nodes(), whole.last, std::move(wanted), pool);
  country.start = determiniser.state_of({whole.first}, 0);
  require(country.start != 0, iso + ": its pattern matches nothing");
  return country;
}

// By calling code; the main country of a shared code first.
std::vector<Country> order_by_code(const std::vector<Country>& countries, const Json& codes) {
  std::map<unsigned, std::vector<Country>> by_code;
  std::vector<Country> order;
  for (const auto& [code, isos] : codes.items()) {
    for (const Json& iso : isos) {
      const auto found = std::find_if(countries.begin(), countries.end(),
                                      [&](const Country& c) { return c.iso == iso; });
      require(found != countries.end() && found->calling_code == code_of(code),
              "calling code " + code + " names " + iso.dump());
      by_code[found->calling_code].push_back(*found);
    }
  }
  for (const auto& [code, sharing] : by_code) {
    order.insert(order.end(), sharing.begin(), sharing.end());
  }
  require(order.size() == countries.size(), "a country without a place among the calling codes");
  return order;
}

// ------------------------------------------------------------------------------------------------
// The automaton as the choices that build it (shared/phone_packing.h).

class Packer {
 public:
  bool choose(topup::Chance& chance, bool known) {
    interval_.take(known, interval_.middle(chance));
    chance.learn(known);
    for (; interval_.has_byte(); interval_.drop_byte()) packed_.push_back(interval_.first_byte());
    return known;
  }
  // Any bytes inside of the interval end the text.
  std::vector<unsigned> finish() const {
    std::vector<unsigned> whole = packed_;
    whole.push_back(interval_.first_byte());
    whole.insert(whole.end(), 3, 0);
    return whole;
  }

 private:
  topup::Interval interval_;
  std::vector<unsigned> packed_;
};

class Packing {
 public:
  Packing(const std::vector<State>& states, const std::vector<Country>& countries)
      : states_(states), height_(states.size(), 0), shared_(states.size(), -1), choices_(Packer()) {
    order_shared(countries);
    for (int state : order_) pack_state(state, 0);
    for (const Country& country : countries) pack_target(country.start, -1, true);
  }
  std::vector<unsigned> packed() const { return choices_.coder().finish(); }
  std::size_t shared() const { return order_.size(); }
  std::size_t edges() const { return edges_; }

 private:
  const State& at(int state) const { return states_[static_cast<std::size_t>(state)]; }

  // States that more than one edge or country leads to, by the height of what can follow them: what
  // follows a state stands before it.
  void order_shared(const std::vector<Country>& countries) {
    std::vector<int> uses(states_.size(), 0);
    for (std::size_t state = 1; state < states_.size(); ++state) {
      const auto& next = states_[state].next;
      for (int target : std::set<int>(next.begin(), next.end())) {
        ++uses[static_cast<std::size_t>(target)];
        if (target == 0) continue;
        // The pool holds what follows a state before the state itself.
        height_[state] = std::max(height_[state], height_[static_cast<std::size_t>(target)] + 1);
      }
    }
    for (const Country& country : countries) ++uses[static_cast<std::size_t>(country.start)];
    for (std::size_t state = 1; state < states_.size(); ++state) {
      if (uses[state] > 1) order_.push_back(static_cast<int>(state));
    }
    std::stable_sort(order_.begin(), order_.end(), [this](int a, int b) {
      return height_[static_cast<std::size_t>(a)] < height_[static_cast<std::size_t>(b)];
    });
    require(order_.size() <= 1U << Choices::kSharedBits, "more shared states than can be named");
    for (std::size_t i = 0; i < order_.size(); ++i) {
      shared_[static_cast<std::size_t>(order_[i])] = static_cast<int>(i);
    }
  }

  void pack_target(int state, int depth, bool is_first) {
    const int place = shared_[static_cast<std::size_t>(state)];
    if (choices_.is_shared(depth, is_first, place >= 0)) {
      choices_.shared(depth, place);
    } else {
      pack_state(state, depth + 1);
    }
  }

  void pack_state(int state, int depth) {
    topup::DigitEdges edges;
    std::vector<int> targets;
    for (std::size_t digit = 0; digit < 10; ++digit) {
      const int target = at(state).next[digit];
      if (target == 0) continue;
      const auto found = std::find(targets.begin(), targets.end(), target);
      edges.edge_of[digit] = static_cast<int>(found - targets.begin()) + 1;
      if (found == targets.end()) targets.push_back(target);
    }
    choices_.accepts(at(state).accepts);
    choices_.edges(edges);
    edges_ += std::max<std::size_t>(targets.size(), 1);
    for (std::size_t i = 0; i < targets.size(); ++i) pack_target(targets[i], depth, i == 0);
  }

  using Choices = topup::PlanChoices<Packer>;
  const std::vector<State>& states_;
  std::vector<int> height_, shared_, order_;
  Choices choices_;
  std::size_t edges_ = 1;  // the dead state's
};

// ------------------------------------------------------------------------------------------------
// The tables as C++ text.

std::string list_text(const std::string& head, const std::vector<unsigned>& numbers) {
  std::string out = head + " = {";
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    out += (i % 16 == 0 ? "\n    " : " ") + std::to_string(numbers[i]) + ",";
  }
  return out + "\n};\n";
}

// One letter for what is dialled before a number inside of the country.
char trunk_letter(const Country& country) {
  if (country.trunk.empty()) return '-';
  if (country.trunk == "06") return '6';
  require(country.trunk.size() == 1, country.iso + ": trunk prefix " + country.trunk);
  return country.trunk[0];
}

// `countries` in the order of their calling codes. Steps from one code to the next are smaller than
// codes and compress better; shared/phone_tables.cpp adds them up.
std::string tables_text(const std::vector<Country>& countries, const Pool& pool) {
  const Packing packing(pool.states(), countries);
  require(packing.edges() <= 0xFFFF, "more edges than 16 bits can name");
  std::string isos, trunks;
  std::vector<unsigned> steps;
  unsigned code = 0;
  for (const Country& country : countries) {
    isos += country.iso;
    trunks += trunk_letter(country);
    steps.push_back(country.calling_code - code);
    require(steps.back() <= 0xFF, country.iso + ": the calling code is far from the one before");
    code = country.calling_code;
  }
  return "// Generated by scripts/phonegen from the metadata of libphonenumber-js; do not edit.\n"
         "constexpr char kPhoneIsos[] = \"" +
         isos + "\";\n" + "constexpr char kPhoneTrunks[] = \"" + trunks + "\";\n" +
         list_text("constexpr std::uint8_t kPhoneCodeSteps[]", steps) +
         "constexpr std::size_t kPhoneEdges = " + std::to_string(packing.edges()) + ";\n" +
         "constexpr std::size_t kPhoneShared = " + std::to_string(packing.shared()) + ";\n" +
         list_text("constexpr std::uint8_t kPhonePacked[]", packing.packed());
}

}  // namespace

int main(int argc, char** argv) {
  require(argc == 3, "usage: phonegen metadata.max.json phone_tables.inc");
  std::ifstream in(argv[1]);
  const Json metadata = Json::parse(in, nullptr, false);
  require(metadata.is_object(), std::string(argv[1]) + " is no JSON object");
  require(metadata.value("version", 0) == kLayoutVersion, "another layout of the metadata");
  Pool pool;
  std::vector<Country> countries;
  for (const auto& [iso, row] : metadata.at("countries").items()) {
    countries.push_back(read_country(iso, row, pool));
  }
  require(countries.size() >= kFewestCountries && countries.size() <= 0xFF, "number of countries");
  const auto order = order_by_code(countries, metadata.at("country_calling_codes"));
  const std::string text = tables_text(order, pool);
  std::ofstream out(argv[2], std::ios::binary);
  out << text;
  out.close();
  require(out.good(), std::string(argv[2]) + " cannot be written");
  std::printf("%zu countries, %zu states\n", countries.size(), pool.states().size());
}
