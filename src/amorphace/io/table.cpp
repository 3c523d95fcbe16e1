// Columns of a text table; table.py is its Python face and says what is wrong with a table that is
// left to it.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <version>

#include "arrays.hpp"

namespace amorphace {
namespace {

// Python takes no more digits for an integer of 64 bits.
constexpr size_t kLongestInteger = 30;
constexpr size_t kLongestWord = 100;

// What divides tokens, the line end apart.
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

// The number that is the whole of a token; false where it is none, is out of range, or has a sign
// "+".
bool number(const char* first, const char* last, double& value) {
#ifdef __cpp_lib_to_chars
  const auto [end, error] = std::from_chars(first, last, value);
  // a NaN may have letters in brackets there, and not in Python
  return error == std::errc() && end == last && last[-1] != ')';
#else
  if (*first == '+') return false;
  char* end;
  value = PyOS_string_to_double(std::string(first, last).c_str(), &end, nullptr);
  const bool whole = !PyErr_Occurred() && *end == '\0' && std::abs(value) < HUGE_VAL;
  PyErr_Clear();
  return whole;
#endif
}

bool number(const char* first, const char* last, int64_t& value) {
  const auto [end, error] = std::from_chars(first, last, value);
  return error == std::errc() && end == last && size_t(last - first) <= kLongestInteger;
}

// Different words, numbered as they come.
class Words {
 public:
  bool number(const char* first, const char* last, int64_t& value) {
    const std::string_view word(first, size_t(last - first));
    if (word != latest_) {
      if (word.size() > kLongestWord) return false;
      for (const char c : word)
        if (c < '!' || c > '~') return false;
      latest_ = word;
      const auto [place, fresh] = numbers_.try_emplace(word, int64_t(numbers_.size()));
      if (fresh) list_.append(nb::str(word.data(), word.size()));
      latest_number_ = place->second;
    }
    value = latest_number_;
    return true;
  }
  const nb::list& list() const { return list_; }

 private:
  std::unordered_map<std::string_view, int64_t> numbers_;
  std::string_view latest_;
  int64_t latest_number_ = 0;
  nb::list list_;
};

struct Column {
  char kind;
  Owned<double> floats;
  Owned<int64_t> integers;
  Words words;
  Column(char k, size_t n)
      : kind(k), floats(k == 'f' ? n : 0), integers(k == 'f' ? 0 : n) {}

  bool take(size_t row, const char* first, const char* last) {
    if (kind == 'f') return number(first, last, floats[row]);
    return kind == 'i' ? number(first, last, integers[row])
                       : words.number(first, last, integers[row]);
  }
  nb::object give(size_t n) {
    if (kind == 'f') return nb::cast(floats.give({n}));
    if (kind == 'i') return nb::cast(integers.give({n}));
    return nb::make_tuple(integers.give({n}), words.list());
  }
};

// The columns of the lines of `text` that `kinds` wants, one letter for each token of a line: f a
// float64, i an int64, s words, as their numbers and a list of them, - nothing. None where a line
// has more or fewer tokens, or a token is not plainly what it should be.
std::optional<nb::list> columns(nb::bytes text, const std::string& kinds) {
  const char* p = text.c_str();
  const char* const end = p + text.size();
  const size_t n = size_t(std::count(p, end, '\n'));
  std::vector<Column> wanted;
  std::vector<int> place;  // of each token among the wanted ones, or -1
  for (const char kind : kinds) {
    place.push_back(kind == '-' ? -1 : int(wanted.size()));
    if (kind != '-') wanted.emplace_back(kind, n);
  }
  for (size_t row = 0; row < n; row++, p++) {
    size_t k = 0;
    for (;;) {
      while (is_blank(*p)) p++;
      if (*p == '\n') break;
      const char* const first = p;
      while (*p != '\n' && !is_blank(*p)) p++;
      if (k == place.size()) return std::nullopt;
      const int c = place[k++];
      if (c >= 0 && !wanted[size_t(c)].take(row, first, p)) return std::nullopt;
    }
    if (k < place.size()) return std::nullopt;
  }
  nb::list found;
  for (Column& column : wanted) found.append(column.give(n));
  return found;
}

}  // namespace
}  // namespace amorphace

NB_MODULE(_table, m) {
  using namespace amorphace;
  m.def("columns", &columns, nb::arg("text"), nb::arg("kinds"));
}
