#pragma once

#include <unistd.h>

#include <utility>

namespace tillcast::io {

/// Closes a file descriptor. Errors of close() do not matter here: everything that must last was flushed
/// before.
class Descriptor {
 public:
  explicit Descriptor(int raw) : raw_(raw) {}
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (raw_ >= 0) ::close(raw_);
  }
  bool valid() const { return raw_ >= 0; }
  int raw() const { return raw_; }

 private:
  int raw_;
};

}  // namespace tillcast::io
