// A transaction as lines that somebody writes, one operation each:
//
//   create PATH [DATA]     a file; the path may end in a creating name (`job-@s`, `w@e`, `q@c`,
//                          `lease@ttl=30s`)
//   mkdir PATH             a directory, likewise
//   set PATH [DATA]        `PATH@v=7`: on condition of the version
//   delete PATH            likewise
//   check PATH@v=7         changes nothing
//   begin                  what follows happens at `commit`, not before
//   commit                 what is above happens now
//
// Empty lines, and those that begin with #, say nothing. A path is that of a file in the mount,
// with or without the first slash. DATA is the rest of the line, behind which comes a line break,
// as `echo` writes it; in double quotes it is what stands between them, byte by byte, and so is a
// path. There, \n, \t, \\, \" and \xFF are bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fusefs/naming/name.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::fusefs::views {

struct TransactionLine {
  enum class Verb { nothing, create, make_directory, set, remove, check, begin, commit };
  Verb verb{};
  std::string path{};  // of the znode, without the digits of a sequential one
  naming::Creation creation{};
  std::optional<std::int32_t> version{};
  replication::Bytes data{};

  bool operator==(const TransactionLine&) const = default;
};

// Why a line is none, for people.
struct NoTransactionLine {
  std::string sentence{};
};

// `line` has no line break at its end.
std::variant<TransactionLine, NoTransactionLine> parse_transaction_line(std::string_view line);

// The word that stands for it.
std::string_view word_of(TransactionLine::Verb verb);

}  // namespace zabfs::fusefs::views
