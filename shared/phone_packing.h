// How the automaton of the numbering plans travels to the page: as the choices that build it, each
// in the fewer bits the less it surprises. scripts/phonegen packs, shared/phone_tables.cpp unpacks;
// both ask the same PlanChoices, which a Packer answers from what it knows and an Unpacker from the
// packed bytes. Pure; thread-safe; no allocation. Packed this way the plans take two thirds of the
// bytes that brotli makes of plain tables.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace topup {

// How likely a choice is yes, learnt from those made so far: fast at first, then slowly.
class Chance {
 public:
  // The part of `span` that stands for yes.
  std::uint32_t part_of(std::uint32_t span) const {
    return static_cast<std::uint32_t>((std::uint64_t{span} * yes_) >> 16U);
  }
  void learn(bool yes) {
    rate_ = std::min(rate_ + 1, kSlowest);
    yes_ = yes ? yes_ + ((kSure - yes_) >> rate_) : yes_ - (yes_ >> rate_);
  }

 private:
  static constexpr std::uint32_t kSure = 0x10000;
  static constexpr int kSlowest = 4;
  std::uint32_t yes_ = kSure / 2;
  int rate_ = 0;
};

// Binary arithmetic coding: what was chosen so far is an interval of 32 bits; each choice takes the
// part of it that its chance gives, and the bytes on which both ends agree go out.
class Interval {
 public:
  std::uint32_t middle(const Chance& chance) const { return low_ + chance.part_of(high_ - low_); }
  void take(bool yes, std::uint32_t middle) { (yes ? high_ : low_) = yes ? middle : middle + 1; }
  bool has_byte() const { return (low_ ^ high_) >> 24U == 0; }
  std::uint32_t first_byte() const { return high_ >> 24U; }
  void drop_byte() {
    low_ <<= 8U;
    high_ = high_ << 8U | 0xFFU;
  }

 private:
  std::uint32_t low_ = 0, high_ = 0xFFFFFFFF;
};

class Unpacker {
 public:
  explicit Unpacker(const std::uint8_t* packed) : next_(packed) {
    for (int i = 0; i < 4; ++i) read_byte();
  }
  bool choose(Chance& chance, bool) {
    const std::uint32_t middle = interval_.middle(chance);
    const bool yes = code_ <= middle;
    interval_.take(yes, middle);
    chance.learn(yes);
    for (; interval_.has_byte(); interval_.drop_byte()) read_byte();
    return yes;
  }

 private:
  void read_byte() { code_ = code_ << 8U | *next_++; }

  Interval interval_;
  std::uint32_t code_ = 0;
  const std::uint8_t* next_;
};

// Where the ten digits lead from a state: 0 nowhere, otherwise one of its edges, which are numbered
// from 1 in the order of their first digits.
struct DigitEdges {
  int edge_of[10] = {};
  int count = 0;
};

// The choices in their order. What is known is looked at when packing only.
template <class Coder>
class PlanChoices {
 public:
  // Of states that several edges lead to there are at most so many.
  static constexpr int kSharedBits = 8;

  explicit PlanChoices(Coder coder) : coder_(coder) {}
  const Coder& coder() const { return coder_; }

  bool accepts(bool known) { return coder_.choose(accepts_, known); }

  void edges(DigitEdges& edges) {
    edges.count = 0;
    int before = -1;
    unsigned history = 1;  // whether the last two digits went where the one before them went
    for (int& edge : edges.edge_of) {
      const int many = std::min(edges.count, 2);
      if (before >= 0) {
        const bool same = coder_.choose(same_[history][before == 0][many], edge == before);
        history = same ? history * 2 + 1 : history * 2;
        if (history > 7) history = 4 + history % 4;
        if (same) {
          edge = before;
          continue;
        }
      }
      if (before != 0 && coder_.choose(nowhere_[before < 0][many], edge == 0)) {
        edge = 0;
      } else {
        edge = edge_behind(before, edge, edges.count);
      }
      before = edge;
    }
  }

  // Whether an edge leads to a shared state, and to which. `depth`: digits read so far; -1 for the
  // start of a country.
  bool is_shared(int depth, bool is_first, bool known) {
    return coder_.choose(is_shared_[std::min(depth + 1, kDepths / 2 - 1)][is_first], known);
  }
  int shared(int depth, int known) {
    Chance* chances = shared_[std::min(depth + 1, kDepths - 1)];
    int place = 1;
    for (int bit = kSharedBits - 1; bit >= 0; --bit) {
      place = place * 2 + (coder_.choose(chances[place], (known >> bit & 1) != 0) ? 1 : 0);
    }
    return place - (1 << kSharedBits);
  }

 private:
  static constexpr int kDepths = 11;

  // One of the edges there are, the newest first, or a new one.
  int edge_behind(int before, int known, int& count) {
    const int many = std::min(count, 3);
    for (int edge = count; edge > 0; --edge) {
      if (edge != before && coder_.choose(again_[many], known == edge)) return edge;
    }
    return ++count;
  }

  Coder coder_;
  Chance accepts_, same_[8][2][3], nowhere_[2][3], again_[4];
  Chance is_shared_[kDepths / 2][2], shared_[kDepths][1 << kSharedBits];
};

}  // namespace topup
