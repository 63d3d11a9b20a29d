#include "sources/zip_entry_stream.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <minizip/unzip.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "core/text.h"

namespace tillcast::sources {
namespace {

constexpr std::size_t kInputBytes = 128 << 10;
constexpr std::uint64_t kSmallPartBytesMax = 16 << 20;
constexpr unsigned kEncryptedFlag = 1;

struct CloseZip {
  void operator()(void* handle) const { unzClose(handle); }
};
using ZipHandle = std::unique_ptr<std::remove_pointer_t<unzFile>, CloseZip>;

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

Error too_big(const std::string& path, const std::string& entry, std::uint64_t inflated,
              std::uint64_t compressed, const ReaderLimits& limits) {
  return invalid_input(
      path + ": " + entry + " inflates " + mebibytes(compressed) + " to over " + mebibytes(inflated) +
      ", more than " + std::to_string(limits.inflate_ratio_max) + " : 1 or " +
      mebibytes(limits.inflated_bytes_max) +
      "; this looks like a zip bomb and was not read. If the file is yours, export it as csv");
}

bool breaks_limit(std::uint64_t inflated, std::uint64_t compressed, const ReaderLimits& limits) {
  return inflated > limits.inflated_bytes_max ||
         (inflated > limits.inflated_bytes_free && inflated / limits.inflate_ratio_max > compressed);
}

}  // namespace

struct ZipEntryStream::Inflater {
  inflate_state state;
};

ZipEntryStream::ZipEntryStream(const InputFile& file, ZipEntry entry, const ReaderLimits& limits)
    : file_(&file),
      entry_(std::move(entry)),
      limits_(&limits),
      inflater_(std::make_unique_for_overwrite<Inflater>()),
      input_(kInputBytes) {
  isal_inflate_init(&inflater_->state);
  inflater_->state.crc_flag = ISAL_DEFLATE;
  inflater_->state.avail_in = 0;
}
ZipEntryStream::ZipEntryStream(ZipEntryStream&&) noexcept = default;
ZipEntryStream& ZipEntryStream::operator=(ZipEntryStream&&) noexcept = default;
ZipEntryStream::~ZipEntryStream() = default;

Error ZipEntryStream::fault(const std::string& what) const {
  return invalid_input(file_->path() + ": " + entry_.name + " " + what +
                       "; the file is damaged or cut short, fetch or save it again");
}

Result<std::size_t> ZipEntryStream::read(char* to, std::size_t bytes) {
  inflate_state& state = inflater_->state;
  std::size_t done = 0;
  while (done < bytes && !finished_) {
    const std::uint64_t left = entry_.compressed_bytes - consumed_;
    if (!entry_.deflated) {
      const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes - done));
      const std::size_t got =
          TILLCAST_TRY_PLAIN(file_->read(entry_.data_offset + consumed_, to + done, want));
      if (got < want) return fault("ends early");
      consumed_ += got;
      done += got;
      finished_ = consumed_ == entry_.compressed_bytes;
      continue;
    }
    if (state.avail_in == 0 && left > 0) {
      const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(left, input_.size()));
      const std::size_t got =
          TILLCAST_TRY_PLAIN(file_->read(entry_.data_offset + consumed_, input_.data(), want));
      if (got < want) return fault("ends early");
      consumed_ += got;
      state.next_in = reinterpret_cast<std::uint8_t*>(input_.data());
      state.avail_in = static_cast<std::uint32_t>(got);
    }
    const auto room = static_cast<std::uint32_t>(std::min<std::size_t>(bytes - done, 1 << 30));
    state.next_out = reinterpret_cast<std::uint8_t*>(to + done);
    state.avail_out = room;
    const int status = isal_inflate(&state);
    const std::size_t made = room - state.avail_out;
    done += made;
    if (status < 0) return fault("is not valid deflate data");
    if (state.block_state == ISAL_BLOCK_FINISH) {
      finished_ = true;
    } else if (made == 0 && state.avail_in == 0 && consumed_ == entry_.compressed_bytes) {
      return fault("ends early");
    }
  }
  crc_ = crc32_gzip_refl(crc_, reinterpret_cast<const unsigned char*>(to), done);
  produced_ += done;
  if (breaks_limit(produced_, consumed_, *limits_))
    return too_big(file_->path(), entry_.name, produced_, consumed_, *limits_);
  if (produced_ > entry_.inflated_bytes) return fault("is longer than its directory entry says");
  if (finished_ && (produced_ != entry_.inflated_bytes || crc_ != entry_.crc32))
    return fault("does not match its checksum");
  return done;
}

Result<ZipArchive> ZipArchive::open(const InputFile& file, const ReaderLimits& limits) {
  const ZipHandle zip(unzOpen64(file.path().c_str()));
  const auto damaged = [&file](const std::string& what) {
    return invalid_input(file.path() + ": " + what +
                         "; the file is damaged or cut short, fetch or save it again");
  };
  if (!zip) return damaged("begins as a ZIP file but has no directory at its end");
  unz_global_info64 global{};
  if (unzGetGlobalInfo64(zip.get(), &global) != UNZ_OK) return damaged("has an unreadable ZIP directory");
  if (global.number_entry > limits.zip_entries_max) {
    return invalid_input(file.path() + ": has " + std::to_string(global.number_entry) +
                         " ZIP entries, at most " + std::to_string(limits.zip_entries_max) + " are read");
  }
  ZipArchive archive(file, limits);
  int status = unzGoToFirstFile(zip.get());
  for (; status == UNZ_OK; status = unzGoToNextFile(zip.get())) {
    unz_file_info64 info{};
    std::array<char, 512> name{};
    if (unzGetCurrentFileInfo64(zip.get(), &info, name.data(), name.size() - 1, nullptr, 0, nullptr, 0) !=
        UNZ_OK) {
      return damaged("has an unreadable ZIP directory");
    }
    if (archive.entries_.size() >= limits.zip_entries_max) break;
    const std::string_view text = name.data();
    if (text.empty() || text.back() == '/') continue;
    if ((info.flag & kEncryptedFlag) != 0)
      return invalid_input(file.path() + ": is password-protected; save it without a password");
    if (info.compression_method != 0 && info.compression_method != 8) continue;
    int method = 0;
    int level = 0;
    if (unzOpenCurrentFile2(zip.get(), &method, &level, 1) != UNZ_OK)
      return damaged(std::string(text) + " has no valid ZIP header");
    const std::uint64_t offset = unzGetCurrentFileZStreamPos64(zip.get());
    unzCloseCurrentFile(zip.get());
    if (offset > file.size() || info.compressed_size > file.size() - offset)
      return damaged(std::string(text) + " reaches beyond the end");
    archive.entries_.try_emplace(ascii_lower(text), ZipEntry{.name = std::string(text),
                                                             .data_offset = offset,
                                                             .compressed_bytes = info.compressed_size,
                                                             .inflated_bytes = info.uncompressed_size,
                                                             .crc32 = static_cast<std::uint32_t>(info.crc),
                                                             .deflated = info.compression_method == 8});
  }
  if (status != UNZ_END_OF_LIST_OF_FILE && archive.entries_.empty())
    return damaged("has an unreadable ZIP directory");
  return archive;
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  while (name.starts_with('/')) name.remove_prefix(1);
  const auto found = entries_.find(ascii_lower(name));
  return found == entries_.end() ? nullptr : &found->second;
}

Result<ZipEntryStream> ZipArchive::stream(const ZipEntry& entry) const {
  if (breaks_limit(entry.inflated_bytes, entry.compressed_bytes, *limits_)) {
    return too_big(file_->path(), entry.name, entry.inflated_bytes, entry.compressed_bytes, *limits_);
  }
  return ZipEntryStream(*file_, entry, *limits_);
}

Result<std::string> ZipArchive::read(const ZipEntry& entry) const {
  if (entry.inflated_bytes > kSmallPartBytesMax) {
    return invalid_input(file_->path() + ": " + entry.name + " has " + mebibytes(entry.inflated_bytes) +
                         ", at most " + mebibytes(kSmallPartBytesMax) + " are expected there");
  }
  ZipEntryStream source = TILLCAST_TRY_PLAIN(stream(entry));
  std::string bytes(entry.inflated_bytes, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t got = TILLCAST_TRY_PLAIN(source.read(bytes.data() + done, bytes.size() - done));
    if (got == 0) break;
    done += got;
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace tillcast::sources
