#include "host_cuda/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "host_cuda/violation.h"

namespace hitgraph::host_cuda {
namespace {

constexpr int64_t kGuard = Allocation::kAlignment;
constexpr unsigned char kGuardByte = 0xa6, kFillByte = 0xcb;

std::vector<const Allocation*>& alive() {
  static auto* const list = new std::vector<const Allocation*>;
  return *list;
}

// Repairs the zone first, so that the damage is reported once.
void check_zone(const Allocation& allocation, unsigned char* zone, const char* where) {
  unsigned char* const end = zone + kGuard;
  unsigned char* const bad =
      std::find_if(zone, end, [](unsigned char byte) { return byte != kGuardByte; });
  if (bad == end) return;
  std::memset(zone, kGuardByte, kGuard);
  violate_launch("guard zone", "byte " + std::to_string(bad - allocation.data()) + " of " +
                                   allocation.name() + ", which has " +
                                   std::to_string(allocation.bytes()) + " bytes, was written (" +
                                   where + ")");
}

}  // namespace

Allocation::Allocation(std::string name, int64_t bytes) : name_(std::move(name)), bytes_(bytes) {
  const int64_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment + 2 * kGuard;
  memory_ = static_cast<unsigned char*>(
      std::aligned_alloc(static_cast<std::size_t>(kAlignment), static_cast<std::size_t>(whole)));
  if (memory_ == nullptr) throw std::bad_alloc();
  data_ = memory_ + kGuard;
  std::memset(memory_, kGuardByte, static_cast<std::size_t>(whole));
  std::memset(data_, kFillByte, static_cast<std::size_t>(bytes));
  alive().push_back(this);
}

Allocation::~Allocation() {
  alive().erase(std::find(alive().begin(), alive().end(), this));
  std::free(memory_);
}

void Allocation::check_guards() const {
  check_zone(*this, memory_, "before its start");
  check_zone(*this, data_ + bytes_, "after its end");
}

void check_guards() {
  for (const Allocation* allocation : alive()) allocation->check_guards();
}

OwnedArray::OwnedArray(std::string name_, unsigned char* data_, int64_t count_) {
  name = std::move(name_);
  data = data_;
  count = static_cast<uint64_t>(count_);
  // Zeros that the system hands out page by page: large arrays that stay unused cost nothing.
  cells = static_cast<Cell*>(std::calloc(std::max<std::size_t>(count, 1), sizeof(Cell)));
  if (cells == nullptr) throw std::bad_alloc();
}

OwnedArray::~OwnedArray() { std::free(cells); }

void mark_written(Array& array, int64_t first, int64_t count) {
  if (first < 0 || count < 0 || first + count > static_cast<int64_t>(array.count)) {
    violate_launch("global bounds", "elements from " + std::to_string(first) + " to " +
                                        std::to_string(first + count) + " of " + array.name +
                                        ", which has " + std::to_string(array.count));
  }
  std::fill_n(array.cells + first, count, Cell{kHostRecord, 0, 0});
}

void mark_unwritten(Array& array) { std::fill_n(array.cells, array.count, Cell{0, 0, 0}); }

Array& Slab::carve(const char* name, int64_t begin, int64_t count, int64_t element) {
  const int64_t end = begin + count * element;
  if (begin < 0 || count < 0 || end > bytes()) {
    violate_launch("global bounds", std::string(name) + " at byte " + std::to_string(begin) + ", " +
                                        std::to_string(count) + " elements of " +
                                        std::to_string(element) + " bytes, does not fit into " +
                                        allocation_->name() + ", which has " +
                                        std::to_string(bytes()) + " bytes");
  }
  if (begin % std::min<int64_t>(element & -element, 16) != 0) {
    violate_launch("global bounds", std::string(name) + " at byte " + std::to_string(begin) +
                                        ", misaligned for elements of " + std::to_string(element) +
                                        " bytes");
  }
  for (Part& part : parts_) {
    if (part.array->count != 0 && part.begin < end && begin < part.end) {
      part.array->count = 0;
      part.array->name += std::string(" (its memory is now that of ") + name + ")";
    }
  }
  taken_ = std::max(taken_, end);
  parts_.push_back(
      {begin, end, std::make_unique<OwnedArray>(name, allocation_->data() + begin, count)});
  return *parts_.back().array;
}

void Slab::clear() {
  for (Part& part : parts_) {
    if (part.array->count == 0) continue;
    part.array->count = 0;
    part.array->name += " (the slab was cleared)";
  }
  taken_ = 0;
}

}  // namespace hitgraph::host_cuda
