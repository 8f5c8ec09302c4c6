#include "host_cuda/violation.h"

#include <cstring>
#include <vector>

#include "host_cuda/global.h"
#include "host_cuda/scheduler.h"

namespace hitgraph::host_cuda {
namespace {

std::vector<std::string>& files() {
  static auto* const names = new std::vector<std::string>;
  return *names;
}

std::string compose(const std::string& kind, const std::string& kernel, int64_t block, int lane,
                    const std::string& file, int line, const std::string& what) {
  std::string text = "[" + kind + "] ";
  if (kernel.empty()) {
    text += "host";
  } else {
    text += kernel;
  }
  if (lane >= 0) text += " block " + std::to_string(block) + " lane " + std::to_string(lane);
  if (!file.empty()) text += ", " + file + ":" + std::to_string(line);
  return text + ": " + what;
}

}  // namespace

Violation::Violation(std::string kind_, std::string kernel_, int64_t block_, int lane_,
                     std::string file_, int line_, const std::string& what)
    : std::runtime_error(compose(kind_, kernel_, block_, lane_, file_, line_, what)),
      kind(std::move(kind_)),
      kernel(std::move(kernel_)),
      block(block_),
      lane(lane_),
      file(std::move(file_)),
      line(line_) {}

void violate(const char* kind, const char* file, int line, const std::string& what) {
  const Scheduler& scheduler = Scheduler::get();
  if (!scheduler.running()) throw Violation(kind, "", -1, -1, shorten(file), line, what);
  throw Violation(kind, scheduler.current_launch().kernel, scheduler.current_block(),
                  static_cast<int>(threadIdx.x), shorten(file), line, what);
}

void violate_at(const char* kind, int thread, Site site, const std::string& what) {
  const Scheduler& scheduler = Scheduler::get();
  throw Violation(kind, scheduler.current_launch().kernel, scheduler.current_block(), thread,
                  files()[site & (kMaxFiles - 1)], static_cast<int>(site >> kFileBits), what);
}

void violate_launch(const char* kind, const std::string& what) {
  const Scheduler& scheduler = Scheduler::get();
  throw Violation(kind, scheduler.running() ? scheduler.current_launch().kernel : "", -1, -1, "", 0,
                  what);
}

// The slow path of make_site: the same file may come at several addresses.
unsigned number_file(const char* file) {
  const std::string name = shorten(file);
  unsigned number = 0;
  while (number < files().size() && files()[number] != name) ++number;
  if (number == files().size() && number < kMaxFiles - 1) files().push_back(name);
  if (number >= kMaxFiles - 1) {
    number = kMaxFiles - 1;
    files().resize(kMaxFiles, "(one of many files)");
  }
  file_cache[reinterpret_cast<uintptr_t>(file) / 8 % 64] = {file, number};
  return number;
}

std::string shorten(const char* file) {
  for (const char* root : {"csrc/", "tests/"}) {
    if (const char* found = std::strstr(file, root)) return found;
  }
  return file;
}

std::string site_text(Site site) {
  const std::string& file = files()[site & (kMaxFiles - 1)];
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(site >> kFileBits);
}

std::string describe_lane(Record access) {
  const Scheduler& scheduler = Scheduler::get();
  std::string text = "lane " + std::to_string(thread_of(access));
  const int64_t block = scheduler.block_at(access);
  if (block != scheduler.current_block()) text += " of block " + std::to_string(block);
  return text;
}

std::string describe_race(Access access, const std::string& what, bool earlier_is_read,
                          Record earlier) {
  const bool other_block = earlier < now.block;
  const char* const does = access == Access::kRead    ? "reads "
                           : access == Access::kWrite ? "writes "
                                                      : "updates atomically ";
  const char* const did = earlier_is_read               ? " read"
                          : (earlier & kAtomicBit) != 0 ? " updated atomically"
                                                        : " wrote";
  return does + what + " that " + describe_lane(earlier) + did + " at " +
         site_text(static_cast<Site>(earlier & ((1u << kSiteBits) - 1))) +
         (other_block ? ", and blocks are not ordered" : ", no barrier between");
}

void global_out_of_bounds(const Array& array, int64_t index, const Index& at) {
  violate("global bounds", at.file, at.line,
          "index " + std::to_string(index) + " of " + array.name + ", which has " +
              std::to_string(array.count) + " elements");
}

void global_unwritten(const Array& array, int64_t index, const Index& at) {
  violate("global uninitialised", at.file, at.line,
          "reads " + array.name + "[" + std::to_string(index) + "], which was never written");
}

void global_race(const Array& array, int64_t index, const Index& at, Access access,
                 Record earlier) {
  violate("global race", at.file, at.line,
          describe_race(access, array.name + "[" + std::to_string(index) + "]",
                        earlier != array.cells[index].write, earlier));
}

void global_misaligned(const Array& array, int64_t index, const Index& at, int count) {
  violate("global alignment", at.file, at.line,
          "index " + std::to_string(index) + " of " + array.name + ", expected a multiple of " +
              std::to_string(count));
}

}  // namespace hitgraph::host_cuda
