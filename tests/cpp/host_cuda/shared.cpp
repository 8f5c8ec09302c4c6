#include "host_cuda/shared.h"

#include <cstdlib>
#include <new>
#include <string>

#include "host_cuda/scheduler.h"

namespace hitgraph::host_cuda {
namespace {

std::string place_text(uint32_t byte, uint32_t size) {
  return (size == 4 ? "word " + std::to_string(byte / 4) : "byte " + std::to_string(byte)) +
         " of shared memory";
}

// A word that changes from one kind of bookkeeping to the other hands its history to its bytes.
void keep_by_byte(SharedWord& word, Cell* bytes) {
  if (word.by_byte_since >= now.block) return;
  word.by_byte_since = now.block;
  for (int i = 0; i < 4; ++i) bytes[i] = word.cell;
}

}  // namespace

void prepare_shared(uint32_t size) {
  static bool allocated = false;
  if (!allocated) {
    shared_memory.data = static_cast<unsigned char*>(std::calloc(kMaxSharedBytes, 1));
    shared_memory.words =
        static_cast<SharedWord*>(std::calloc(kMaxSharedBytes / 4, sizeof(SharedWord)));
    shared_memory.bytes = static_cast<Cell*>(std::calloc(kMaxSharedBytes, sizeof(Cell)));
    if (!shared_memory.data || !shared_memory.words || !shared_memory.bytes) throw std::bad_alloc();
    allocated = true;
  }
  shared_memory.size = size;
}

Record note_shared_bytes(uint32_t byte, uint32_t size, Access access, Record record,
                         bool* unwritten) {
  keep_by_byte(shared_memory.words[byte / 4], shared_memory.bytes + byte / 4 * 4);
  for (uint32_t b = byte; b < byte + size; ++b) {
    Cell& cell = shared_memory.bytes[b];
    if (access != Access::kWrite && cell.write < now.block) {
      *unwritten = true;
      return 0;
    }
    const Record earlier = access == Access::kRead    ? note_read(cell, now.block, record)
                           : access == Access::kWrite ? note_write(cell, now.block, record)
                                                      : note_atomic(cell, now.block, record);
    if (earlier != 0) return earlier;
  }
  return 0;
}

void check_shared_array(uint32_t offset, uint32_t count, uint32_t element, const char* file,
                        int line) {
  const uint64_t end = offset + uint64_t{count} * element;
  if (end > shared_memory.size) {
    violate("shared bounds", file, line,
            "an array of " + std::to_string(count) + " elements of " + std::to_string(element) +
                " bytes at byte " + std::to_string(offset) + " ends after the launch's " +
                std::to_string(shared_memory.size) + " bytes of shared memory");
  }
  // The largest power of two in the size, as a struct of that size may be aligned.
  const uint32_t power = element & (~element + 1);
  const uint32_t alignment = power < 16 ? power : 16;
  if (offset % alignment != 0) {
    violate("shared bounds", file, line,
            "an array of elements of " + std::to_string(element) + " bytes at byte " +
                std::to_string(offset) + ", which is no multiple of " + std::to_string(alignment));
  }
}

void shared_out_of_bounds(int64_t index, uint32_t count, const Index& at) {
  violate("shared bounds", at.file, at.line,
          "index " + std::to_string(index) + " of a shared array of " + std::to_string(count));
}

void shared_unwritten(uint32_t byte, uint32_t size, const Index& at) {
  violate("shared uninitialised", at.file, at.line,
          "reads " + place_text(byte, size) + ", which this block has not written");
}

void shared_race(uint32_t byte, uint32_t size, const Index& at, Access access, Record earlier) {
  Cell& cell = shared_memory.words[byte / 4].by_byte_since >= now.block
                   ? shared_memory.bytes[byte]
                   : shared_memory.words[byte / 4].cell;
  violate("shared race", at.file, at.line,
          describe_race(access, place_text(byte, size), earlier != cell.write, earlier));
}

}  // namespace hitgraph::host_cuda
