#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "pipeline/job_service.h"

namespace tillcast::api {

/// The one file of a form on its way in (multipart/form-data, RFC 7578): passes the file's bytes on piece by
/// piece and keeps no more of them than a boundary is long. Anything but exactly one file is refused by name,
/// with kInvalidInput. One thread.
class FormFileSink final : public pipeline::UploadSink {
 public:
  /// @param content_type  "multipart/form-data; boundary=…" @param file  takes the file's bytes
  static Result<std::unique_ptr<FormFileSink>> open(std::string_view content_type,
                                                    std::unique_ptr<pipeline::UploadSink> file);
  Result<> write(std::string_view bytes) override;

  struct File {
    std::string name;  ///< as the client calls it; may be anything
    std::unique_ptr<pipeline::UploadSink> content;
  };
  /// After the last byte. kInvalidInput when the form has not come to its end.
  Result<File> finish();

 private:
  enum class At : std::uint8_t { kStart, kHead, kContent, kBoundary, kEnd };

  FormFileSink(std::string boundary, std::unique_ptr<pipeline::UploadSink> file);
  Result<bool> step();
  Result<> read_head(std::string_view head);
  Result<> pass_on(std::size_t bytes);

  std::string boundary_;  ///< with the line break and hyphens before it
  std::unique_ptr<pipeline::UploadSink> file_;
  At at_ = At::kStart;
  std::string name_;
  std::string rest_;  ///< received, not yet understood
};

}  // namespace tillcast::api
