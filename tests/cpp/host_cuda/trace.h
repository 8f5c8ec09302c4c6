// Who touched a piece of memory last, and whether that is ordered before what happens now.
//
// Time is a counter that moves when a block starts and when a full warp or a block synchronises; a
// warp's stamp is its value at the warp's last step. So two accesses with one stamp are of one warp
// with nothing in between, and a stamp from before a barrier is smaller than all that follow it.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

namespace hitgraph::host_cuda {

// A place in the source, 18 bits: the line above the number of the file.
using Site = uint32_t;

// An access, 64 bits: stamp 35, thread 10, atomic 1, site 18. Zero: none.
using Record = uint64_t;
inline constexpr int kSiteBits = 18, kFileBits = 6, kThreadShift = 19, kStampShift = 29;
inline constexpr unsigned kMaxLine = (1u << (kSiteBits - kFileBits)) - 1;
inline constexpr unsigned kMaxFiles = 1u << kFileBits;
inline constexpr Record kAtomicBit = Record{1} << kSiteBits;
inline constexpr Record kThreadMask = Record{1023} << kThreadShift;
inline constexpr Record kWarpMask = kThreadMask & ~(Record{31} << kThreadShift);

// What the host wrote before any launch: ordered before everything.
inline constexpr Record kHostRecord = 1;

// Records of the lane that runs now, and of the first instant of its launch, its block and the time
// since its block's last barrier.
struct Now {
  Record who = 0;
  Record launch = 0, block = 0, barrier = 0;
};
inline Now now;

// Of two readers the later one, and the one before it: either may be the lane that writes next.
struct Cell {
  Record write, read, earlier_read;
};

struct FileCacheEntry {
  const char* file = nullptr;
  unsigned number = 0;
};
inline FileCacheEntry file_cache[64];

unsigned number_file(const char* file);
std::string site_text(Site site);          // knn_search.cuh:101
std::string shorten(const char* file);     // from csrc/ or tests/ on
std::string describe_lane(Record access);  // "lane 5", "lane 5 of block 2"

inline Site make_site(const char* file, int line) {
  const FileCacheEntry& entry = file_cache[reinterpret_cast<uintptr_t>(file) / 8 % 64];
  const unsigned number = entry.file == file ? entry.number : number_file(file);
  const unsigned row = static_cast<unsigned>(line);
  return (row < kMaxLine ? row : kMaxLine) << kFileBits | number;
}

// An index that remembers where it was written: the default arguments are the caller's.
struct Index {
  int64_t value;
  int line;
  const char* file;

  template <typename I, typename = std::enable_if_t<std::is_integral_v<I> || std::is_enum_v<I>>>
  constexpr Index(I i, int line_ = __builtin_LINE(), const char* file_ = __builtin_FILE())
      : value(static_cast<int64_t>(i)), line(line_), file(file_) {}

  Record record() const { return now.who | make_site(file, line); }
};

inline int thread_of(Record access) {
  return static_cast<int>((access & kThreadMask) >> kThreadShift);
}

// Whether nothing orders an access of this launch (from `since` on) before the lane that runs now.
inline bool unordered(Record access, Record since) {
  if (access < since) return false;
  if (access < now.block) return true;
  const Record difference = access ^ now.who;
  if ((difference & kThreadMask) == 0) return false;
  if (difference >> kStampShift == 0) return true;
  return access >= now.barrier && (difference & kWarpMask) != 0;
}

// Each of the three returns the access that this one races with, or 0 after noting this one.
inline Record note_read(Cell& cell, Record since, Record record) {
  if (unordered(cell.write, since)) return cell.write;
  const Record reader = cell.read;
  if ((reader ^ now.who) >> kThreadShift != 0) {
    // A lane's own later read says all that its earlier one did; another lane's is kept.
    if (((reader ^ now.who) & kThreadMask) != 0 || reader < now.block) cell.earlier_read = reader;
    cell.read = record;
  }
  return 0;
}

inline Record note_write(Cell& cell, Record since, Record record) {
  if (unordered(cell.write, since)) return cell.write;
  if (unordered(cell.read, since)) return cell.read;
  if (unordered(cell.earlier_read, since)) return cell.earlier_read;
  cell.write = record;
  return 0;
}

inline Record note_atomic(Cell& cell, Record since, Record record) {
  if ((cell.write & kAtomicBit) == 0 && unordered(cell.write, since)) return cell.write;
  if (unordered(cell.read, since)) return cell.read;
  if (unordered(cell.earlier_read, since)) return cell.earlier_read;
  // A plain write of this lane stays on record: other lanes' atomics race with it.
  const bool own_plain_write =
      (cell.write & kAtomicBit) == 0 && (cell.write ^ now.who) >> kThreadShift == 0;
  if (!own_plain_write) cell.write = record | kAtomicBit;
  return 0;
}

// How an access appears in a message.
enum class Access { kRead, kWrite, kAtomic };

}  // namespace hitgraph::host_cuda
